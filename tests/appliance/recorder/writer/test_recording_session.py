"""A disk that fails while a recording is made: the ring rides it out, or the recording ends and says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from appliance.contract import ledger
from appliance.contract.commissioning import Floor
from appliance.contract.ids import new_recording_id
from appliance.recorder.ipc.messages import (
    EnterFact,
    EnterPause,
    ExpectGap,
    FromWriter,
    MicrophoneVerdict,
    RecordingClosed,
    RecordingProgress,
    SpoolChecked,
    WriterFault,
)
from appliance.recorder.ipc.ring import Producer, Ring
from appliance.recorder.microphone_monitor import learn, measure
from appliance.recorder.storage.disk import FAILED, FULL, Disk, DiskError
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer import recording_session as session_module
from appliance.recorder.writer import recovery
from appliance.recorder.writer.recording_file import Begin
from appliance.recorder.writer.recording_session import RecordingSession
from appliance.recorder.writer.spool_faults import SpoolFaults
from tests.support.box.writer import BLOCK, RATE, Home, open_recording, speech
from tests.support.sounds import noise
from tests.support.waiting import until

from .test_spool_faults import maker

Report = TypeVar("Report", bound=FromWriter)


class Sick(Disk):
    """Refuses to make files whose path `refuses` says so of."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = FAILED
        self.refuses: Callable[[Path], bool] = lambda _: False

    def create(self, path: Path) -> int:
        if self.refuses(path):
            raise DiskError(self.fault, f"cannot create {path}: made up")
        return super().create(path)

    def open_to_append(self, path: Path) -> int:
        if self.refuses(path):
            raise DiskError(self.fault, f"cannot open {path}: made up")
        return super().open_to_append(path)


class Case:
    """A recording session in this process."""

    def __init__(self, tmp_path: Path, floor: Floor | None = None) -> None:
        self.home = Home(tmp_path)
        self.disk = Sick()
        self.spool = Spool(self.home.spool, self.disk)
        self.spool.prepare()
        self.spool.keep_reserve()
        self.ring = Ring.create(RATE, BLOCK)
        self.producer = Producer(self.ring, 1)
        self.reports: list[FromWriter] = []
        self.recording = new_recording_id()
        self.now_ns = time.monotonic_ns()
        self.session = RecordingSession(
            self.ring,
            self.spool,
            maker(self.home),
            Begin(self.recording, None, self.now_ns),
            spool_faults=SpoolFaults(self.spool, self.reports.append),
            report=self.reports.append,
            floor=floor,
        )
        self.lamp(lit=True)
        self.open(1)

    def lamp(self, *, lit: bool) -> None:
        fact = ledger.Lamp(t_ns=self.now_ns, lit=lit, commanded_ns=self.now_ns, seen_ns=None)
        self.session.enter(EnterFact(fact=fact))

    def open(self, generation: int) -> None:
        self._audio(generation, is_open=True)

    def closed(self, generation: int) -> None:
        self._audio(generation, is_open=False)

    def _audio(self, generation: int, *, is_open: bool) -> None:
        fact = ledger.AudioSpan(t_ns=self.now_ns, open=is_open, at_ns=self.now_ns, generation=generation)
        self.session.enter(EnterFact(fact=fact))

    def pause(self, *, paused: bool) -> None:
        self.session.enter(EnterPause(t_ns=self.now_ns, paused=paused))

    def push(self, samples: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        for start in range(0, samples.size, BLOCK):
            part = samples[start : start + BLOCK]
            self.now_ns += part.size * 1_000_000_000 // RATE
            assert self.producer.push(part.tobytes(), part.size, self.now_ns)

    def close(self, generation: int = 1) -> None:
        self.closed(generation)
        self.lamp(lit=False)

    def end(self) -> None:
        self.session.end("button")
        self.work(lambda: self.session.finished)

    def work(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        def step() -> None:
            pause = self.session.step(self.ring.write_seq)
            if not done():
                time.sleep(pause)

        until(done, "the recording session", seconds, pause=step)

    def told(self, kind: type[Report], **members: Any) -> list[Report]:
        return [
            message
            for message in self.reports
            if isinstance(message, kind) and all(getattr(message, name) == members[name] for name in members)
        ]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setattr(session_module, "_RETRY_NS", 20_000_000)
    monkeypatch.setattr(session_module, "_PATIENCE_NS", {FULL: 100_000_000})
    monkeypatch.setattr(session_module, "_LONG_PATIENCE_NS", 300_000_000)
    return Case(tmp_path)


def segments(path: Path) -> bool:
    return path.parent.name == "segments"


def test_a_short_refusal_is_ridden_out_and_the_fault_is_told_and_taken_back(case: Case) -> None:
    samples = speech(RATE * 3)
    case.push(samples)
    case.disk.refuses = segments
    case.work(lambda: bool(case.told(WriterFault)))
    assert not case.told(WriterFault, fatal=True)
    case.disk.refuses = lambda _: False
    case.close()
    case.end()
    assert case.told(SpoolChecked)[-1].faults == frozenset()
    opened = open_recording(case.home, case.recording)
    assert np.array_equal(opened.samples, samples)
    assert opened.closing is not None
    assert (opened.closing.reason, opened.closing.lost_frames) == ("button", 0)


def test_a_lasting_refusal_is_fatal_and_the_recording_is_closed_with_what_was_acknowledged(case: Case) -> None:
    samples = speech(RATE * 5)
    case.push(samples[: RATE * 2])
    case.work(lambda: case.session.frames >= RATE)
    case.disk.refuses = segments
    case.push(samples[RATE * 2 :])
    case.work(lambda: bool(case.told(WriterFault, fatal=True)))
    acked = case.session.frames
    case.close()
    case.end()
    opened = open_recording(case.home, case.recording)
    assert np.array_equal(opened.samples, samples[:acked])
    assert opened.closing is not None
    assert opened.closing.reason == "button"


def test_a_refusal_inside_a_gap_or_before_a_pause_leaves_nothing_behind_the_last_frame(case: Case) -> None:
    case.push(speech(RATE))
    case.work(lambda: case.session.frames >= RATE)
    case.closed(1)
    case.session.enter(ExpectGap(cause="unplugged"))
    case.now_ns += 30_000_000_000
    case.open(2)
    case.producer = Producer(case.ring, 2)
    case.push(speech(RATE))
    case.work(lambda: case.session.frames >= 3 * RATE)
    case.disk.refuses = segments
    case.work(lambda: bool(case.told(WriterFault, fatal=True)))
    case.close(2)
    case.pause(paused=True)
    case.end()
    opened = open_recording(case.home, case.recording)
    assert opened.closing is not None
    assert opened.closing.reason == "interrupted"
    assert opened.of(ledger.Pause)[0].frame == opened.closing.frames


def test_a_ledger_that_takes_no_more_is_left_to_recovery(case: Case) -> None:
    samples = speech(RATE * 2)
    case.push(samples)
    case.work(lambda: case.session.frames >= RATE)
    acked = case.session.frames
    case.disk.refuses = lambda _: True
    case.close()
    case.session.end("button")
    case.work(lambda: case.session.finished)
    assert case.session.abandoned
    assert not case.told(RecordingClosed)
    case.disk.refuses = lambda _: False
    assert recovery.recover(case.spool, case.home.keys.box_signing) == [case.recording]
    opened = open_recording(case.home, case.recording)
    assert opened.samples.size >= acked
    assert np.array_equal(opened.samples, samples[: opened.samples.size])


def test_a_spool_that_cannot_begin_a_recording_says_so_and_leaves_nothing(case: Case) -> None:
    case.disk.refuses = lambda _: True
    case.disk.fault = FULL
    case.push(speech(RATE))
    case.work(lambda: case.session.finished)
    assert case.session.abandoned
    assert case.told(WriterFault, fatal=True)[0].code == FULL
    assert case.home.recordings() == []


def test_while_the_disk_hangs_nothing_is_called_acknowledged(case: Case) -> None:
    case.push(speech(RATE * 2))
    case.work(lambda: case.session.frames >= RATE)
    case.disk.refuses = segments
    before = len(case.reports)
    case.push(speech(RATE * 2))
    case.work(lambda: bool(case.told(WriterFault, fatal=True)))
    acked = {message.acked_frame for message in case.reports[before:] if isinstance(message, RecordingProgress)}
    assert acked <= {case.session.frames}


def test_the_microphone_is_judged_after_the_acknowledgement_and_anew_after_a_pause(tmp_path: Path) -> None:
    def still(seed: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        return noise(seed=seed, rate=RATE)

    case = Case(tmp_path, learn([measure(still(seed), RATE) for seed in range(10)]))
    for second in range(13):
        case.push(still(second))
    case.work(lambda: case.session.frames >= 11 * RATE)
    case.close()
    case.pause(paused=True)
    case.lamp(lit=True)
    case.pause(paused=False)
    case.open(2)
    case.producer = Producer(case.ring, 2)
    for _ in range(7):
        case.push(noise(3.0, rate=RATE))
    case.work(lambda: case.session.frames >= 19 * RATE)
    case.close(2)
    case.end()
    told = case.told(MicrophoneVerdict)
    assert [(message.quiet, sorted(message.faults)) for message in told] == [
        (True, []), (False, []), (False, ["microphone-muted"]),
    ]  # fmt: skip
    for message, second in zip(told, (10, 14, 19), strict=True):
        before = case.reports[: case.reports.index(message)]
        acked = [one.acked_frame for one in before if isinstance(one, RecordingProgress)]
        assert acked[-1] == second * RATE
    assert open_recording(case.home, case.recording).samples.size == 20 * RATE


def test_promise_2_work_on_the_disk_is_told_before_the_disk_is_asked(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []
    real = case.disk.fsync

    def fsync(*args: Any) -> None:
        told.append(case.ring.busy_since_ns)
        real(*args)

    monkeypatch.setattr(case.disk, "fsync", fsync)
    before_ns = time.monotonic_ns()
    case.push(speech(RATE * 2))
    case.work(lambda: case.session.frames >= RATE)
    assert told
    assert all(since is not None and since >= before_ns for since in told)
    assert case.ring.busy_since_ns is None


class SimulatedTime:
    """The session's clock, moved on by the test alone."""

    def __init__(self, case: Case) -> None:
        self.monotonic = time.monotonic
        self.monotonic_ns = lambda: case.now_ns


@pytest.mark.parametrize("away_s", [5, 26, 300])
@pytest.mark.parametrize("then", ["comes back", "pause", "end"])
def test_a_gap_is_as_long_as_the_absence_and_only_its_newest_part_is_left_to_write(
    case: Case, monkeypatch: pytest.MonkeyPatch, away_s: int, then: str
) -> None:
    monkeypatch.setattr(session_module, "time", SimulatedTime(case))
    case.push(speech(RATE))
    case.work(lambda: case.session.frames >= RATE)
    lost_ns = case.now_ns
    case.closed(1)
    case.session.enter(ExpectGap(cause="unplugged"))
    while case.now_ns < lost_ns + away_s * 1_000_000_000:
        case.session.step(case.ring.write_seq)
        case.now_ns += 250_000_000
    if then == "pause":
        case.pause(paused=True)
        case.now_ns += 60_000_000_000
        case.pause(paused=False)
        case.session.enter(ExpectGap(cause="unplugged"))
        case.now_ns += 7_000_000_000
        case.session.step(case.ring.write_seq)
        away_s += 7
    if then != "end":
        case.open(2)
        case.producer = Producer(case.ring, 2)
        case.push(speech(RATE))
        before = case.session.frames
        case.work(lambda: case.session.frames > before)
        progress = case.told(RecordingProgress)[-1]
        assert progress.frames - before <= (20 + 3 + 2 + 7 * (then == "pause")) * RATE, (
            "what is left to write is bounded"
        )
        sound = progress.frames - progress.silence_frames
        assert sound - (progress.acked_frame - progress.acked_silence) <= RATE, "silence is no unsaved sound"
        case.close(2)
    else:
        case.lamp(lit=False)
    case.end()
    opened = open_recording(case.home, case.recording)
    gaps = opened.of(ledger.Gap)
    assert {gap.cause for gap in gaps} == {"unplugged"}
    assert abs(sum(gap.frames for gap in gaps) / RATE - away_s) < 0.5
    assert len(gaps) <= 1 + away_s // 20 + (then == "pause")
    assert opened.samples.size == sum(gap.frames for gap in gaps) + RATE * (1 if then == "end" else 2)
    assert opened.closing is not None
    assert opened.closing.lost_frames == sum(gap.frames for gap in gaps)
