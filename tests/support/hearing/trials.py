"""Trials: a live microphone that gets a fault and loses it, and hours of a quiet room; and what was said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from appliance.contract.segment import Samples
from appliance.recorder.microphone_monitor import Detector, measure
from appliance.recorder.microphone_monitor.detector import CLIPPING

from .material import RATE, SOUNDS, STILL, Sound, meeting_with_long_pauses, radio
from .microphone import FAULTS, Fault, Microphone

GAINS_DB: Final = (-12.0, -6.0, 0.0, 6.0, 12.0)
"""Gains around the usual one; the floors they make lie between -81 and -57 dB."""
WITHIN_S: Final = 10.0
"""A fault is found within so many seconds of its beginning."""
_BEFORE_S: Final = 12
_FAULT_S: Final = 12
_MIDDLE: Final = RATE // 2
"""A fault begins in the middle of a second, which is worse than at its edge."""


@dataclass(frozen=True)
class Trial:
    """One row's part of the confusion table."""

    truth: str
    """What was so: a live microphone's sound, or a fault."""
    sound: str
    gain_db: float
    said: tuple[str, ...]
    """Codes that were raised, in order; none for a live microphone that was left alone."""
    expected: str | None
    found_s: float | None
    """Seconds from the fault's beginning to its code."""
    cleared_s: float | None
    """Seconds from the fault's end to no code."""

    @property
    def held(self) -> bool:
        """Whether exactly the right thing was said, in time."""
        if self.expected is None:
            return not self.said
        return (
            self.said == (self.expected,)
            and self.found_s is not None
            and self.found_s <= WITHIN_S
            and self.cleared_s is not None
        )


class _Ear:
    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.said: list[str] = []
        self.verdict = detector.verdict
        self.second = 0

    def hear(self, samples: Samples) -> None:
        before, self.verdict = self.verdict, self._detector.add_second(measure(samples, RATE))
        self.second += 1
        self.said += sorted(self.verdict.codes - before.codes)


def live(name: str, gain_db: float, seconds: int, seed: int, *, automatic: bool = False) -> Trial:
    """A microphone without a fault."""
    microphone = Microphone(gain_db, seed, automatic=automatic)
    ear = _Ear(Detector(microphone.floor(), RATE))
    sound = SOUNDS[name](seed)
    for _ in range(seconds):
        ear.hear(microphone.hear(next(sound)))
    return Trial(
        f"live: {name}{', automatic gain' if automatic else ''}", name, gain_db, tuple(ear.said), None, None, None
    )


def with_fault(fault: Fault, name: str, gain_db: float, seed: int) -> Trial:
    """A microphone that is live, then at fault for twelve seconds, then live again for as long as clearing may take."""
    microphone = Microphone(gain_db, seed)
    ear = _Ear(Detector(microphone.floor(), RATE))
    found = cleared = None
    began, ended = _BEFORE_S + 0.5, _BEFORE_S + _FAULT_S + 0.5
    after_s = 64 if fault.code == CLIPPING else 6
    pairs = islice(_both(fault, microphone, SOUNDS[name], seed), _BEFORE_S + _FAULT_S + after_s)
    for number, (good, bad) in enumerate(pairs):
        if number < _BEFORE_S or number > ended:
            samples = good
        elif began < number < ended - 1:
            samples = bad
        else:
            first, second = (good, bad) if number < began else (bad, good)
            samples = np.concatenate([first[:_MIDDLE], second[_MIDDLE:]])
        ear.hear(samples)
        if found is None and fault.code in ear.verdict.codes:
            found = ear.second - began
        if cleared is None and ear.second > ended and not ear.verdict.codes:
            cleared = ear.second - ended
    return Trial(fault.name, name, gain_db, tuple(ear.said), fault.code, found, cleared)


def _both(fault: Fault, microphone: Microphone, sound: Sound, seed: int) -> Iterator[tuple[Samples, Samples]]:
    for second in sound(seed):
        yield microphone.hear(second), fault.give(microphone, second)


def table(progress: Callable[[str], None], seconds: int, gains_db: tuple[float, ...] = GAINS_DB) -> list[Trial]:
    """Every sound and every fault at every gain; live ones for so many seconds."""
    trials = []
    for gain_db in gains_db:
        trials += [live(name, gain_db, seconds, 100 + n) for n, name in enumerate(SOUNDS)]
        trials.append(live("spoken", gain_db, seconds, 110, automatic=True))
        trials += [
            with_fault(fault, name, gain_db, 200 + n)
            for fault in FAULTS
            for n, name in enumerate(SOUNDS)
            if fault.in_quiet or name not in STILL
        ]
        progress(f"gain {gain_db:+.0f} dB: {sum(trial.held for trial in trials)} of {len(trials)} trials so far held")
    return trials


@dataclass(frozen=True)
class Hours:
    """What was said of a long meeting with long pauses."""

    gain_db: float
    seconds: int
    false_alarms: int
    quiet_in_speech_s: int
    """Seconds called quiet although somebody had been speaking for two seconds or more."""
    quiet_share: float
    """Share of the pauses' seconds that were called quiet."""
    longest_quiet_s: int

    @property
    def held(self) -> bool:
        """Whether nothing false was said."""
        return not self.false_alarms and not self.quiet_in_speech_s


def hours(gain_db: float, seconds: int, seed: int) -> Hours:
    """A quiet room for so many seconds, with half a minute of speech every ten minutes."""
    microphone = Microphone(gain_db, seed)
    ear = _Ear(Detector(microphone.floor(), RATE))
    spoken_for = wrong = quiet = pauses = run = longest = 0
    for wave, spoken in islice(meeting_with_long_pauses(seed), seconds):
        ear.hear(microphone.hear(wave))
        spoken_for = spoken_for + 1 if spoken else 0
        run = run + 1 if ear.verdict.quiet else 0
        longest = max(longest, run)
        wrong += ear.verdict.quiet and spoken_for > 4
        quiet += ear.verdict.quiet and not spoken
        pauses += not spoken
    return Hours(gain_db, seconds, len(ear.said), wrong, round(quiet / max(1, pauses), 3), longest)


def low_radio(gain_db: float, seconds: int, seed: int) -> int:
    """The longest quiet, in seconds, that is called while a low radio plays."""
    microphone = Microphone(gain_db, seed)
    ear = _Ear(Detector(microphone.floor(), RATE))
    run = longest = 0
    for wave in islice(radio(seed), seconds):
        ear.hear(microphone.hear(wave))
        run = run + 1 if ear.verdict.quiet else 0
        longest = max(longest, run)
    return longest
