"""What the writer tells the supervisor of the microphone: changes only, codes only, and nothing of its own silence."""

from __future__ import annotations

import numpy as np

from appliance.recorder.ipc.messages import FromWriter, MicrophoneVerdict
from appliance.recorder.microphone_monitor import learn
from appliance.recorder.writer.microphone_watch import MicrophoneWatch
from appliance.recorder.writer.segmenter import Segment, Segmenter
from tests.support.sounds import RATE, noise, room

FLOOR = learn(room(10))
OFF = noise(3.0)


class Case:
    def __init__(self) -> None:
        self.told: list[FromWriter] = []
        self.watch = MicrophoneWatch(FLOOR, RATE, self.told.append)
        self.segmenter = Segmenter(RATE)

    def add(self, segments: list[Segment]) -> None:
        for segment in segments:
            self.watch.add_segment(segment)

    def add_samples(self, samples: np.ndarray[tuple[int], np.dtype[np.int16]], times: int) -> None:
        for _ in range(times):
            self.add(list(self.segmenter.add(samples, 0)))

    def silence(self, frames: int) -> None:
        self.add(list(self.segmenter.silence(frames, "unplugged", 0)))


def test_promise_7_a_change_is_told_once_and_no_level_with_it() -> None:
    case = Case()
    case.add_samples(noise(), 30)
    case.add_samples(OFF, 10)
    case.add_samples(noise(), 5)
    assert case.told == [
        MicrophoneVerdict(quiet=True),
        MicrophoneVerdict(quiet=False),
        MicrophoneVerdict(quiet=False, faults=frozenset({"microphone-muted"})),
        MicrophoneVerdict(quiet=False),
    ]


def test_a_wrong_rate_is_told_with_whatever_else_is_wrong_and_taken_back() -> None:
    case = Case()
    for samples, wrong in ((noise(), True), (noise(), True), (noise(), False)):
        for segment in case.segmenter.add(samples, 0):
            case.watch.add_segment(segment, rate_is_wrong=wrong)
    assert case.told == [
        MicrophoneVerdict(quiet=False, faults=frozenset({"microphone-rate"})),
        MicrophoneVerdict(quiet=False),
    ]


def test_silence_in_place_of_lost_frames_is_not_a_dead_microphone() -> None:
    case = Case()
    case.add_samples(noise(), 3)
    case.add_samples(noise()[: RATE // 2], 1)
    case.silence(RATE * 20)
    case.add_samples(noise(), 3)
    for _ in range(20):
        case.add_samples(noise()[: RATE - 4096], 1)
        case.silence(4096)
    assert case.told == []
    case.add_samples(np.zeros(RATE, np.int16), 7)
    assert case.told == [MicrophoneVerdict(quiet=False, faults=frozenset({"microphone-silent"}))]


def test_a_short_segment_at_the_end_of_a_capture_is_not_judged() -> None:
    case = Case()
    for _ in range(20):
        case.add_samples(np.zeros(RATE // 3, np.int16), 1)
        case.add(list(case.segmenter.flush(0)))
    assert case.told == []


def test_a_quiet_does_not_last_over_a_pause() -> None:
    case = Case()
    case.add_samples(noise(), 12)
    case.watch.interrupt()
    case.add_samples(noise(), 1)
    assert [message.quiet for message in case.told if isinstance(message, MicrophoneVerdict)] == [True, False]
