"""Detects from its levels, one second at a time, whether a microphone is at fault and whether the room is quiet. Pure.

It works in one direction only. A room can only add to a microphone's own noise, so nothing that people do makes a band
fall below the floor that was learned in the quiet room; a level well below it comes from another source. Above the
floor anything may be a sound, so a wrong input that is noisier than the right one in every band is not detected.

- All samples equal: `microphone-silent`; and, without a floor, nothing but the noise of rounding.
- Nearly all bands below the floor: `microphone-muted`, an analog switch in front of the converter. A hum may stay.
- Some bands above 1 kHz far below, the rest not: `microphone-differs`. Lower bands don't count: there the room itself,
  its ventilation above all, makes the floor, and may have been switched off since.
- Both of these count only while those bands stay the same from second to second, as an amplifier's noise does. An
  automatic gain turns the microphone's noise down with loud speech and up again in each pause, so its bands vary.
- Much of the wave cut off: `microphone-clipping`.
- Otherwise, with every band of speech near the floor for some time: quiet. A radio, however low, is not quiet.

Without a floor it detects only silence and clipping, and never reports quiet.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from appliance.contract.commissioning import Floor

from .levels import Levels, bands

SILENT: Final = "microphone-silent"
MUTED: Final = "microphone-muted"
DIFFERS: Final = "microphone-differs"
CLIPPING: Final = "microphone-clipping"
CODES: Final = (SILENT, MUTED, DIFFERS, CLIPPING)
"""Every code that a detector can report (contract/amber_codes.py has causes and remedies)."""

BELOW: Final = 600
"""A band this far below the floor does not come from the learned microphone, in hundredths of a decibel: half its
voltage."""
FAR_BELOW: Final = 1000
"""A band this far below cannot be explained by gain or by a warmer room, in hundredths of a decibel."""
MUTED_SHARE: Final = 0.75
"""A mute lowers at least this share of the bands; mains hum may keep one or two up."""
DIFFERENT_BANDS: Final = 2
OWN_NOISE_HZ: Final = 1000.0
"""From here on up a quiet room's floor is the microphone's own noise rather than ventilation or traffic, whose spectrum
falls by 5 dB an octave (ASHRAE's room criteria)."""
STEADY: Final = 60
"""A steady noise above 1 kHz changes less than this from one second to the next, in hundredths of a decibel: about 2000
spectral lines make each band's level accurate to 0.15 dB."""
STEADY_BANDS: Final = 2
STEP_NOISE_DB: Final = -101.1
"""The noise of rounding to 16 bits, spread evenly up to half the rate: 1/12 of a step squared. No level is lower."""
CLIPPED: Final = 0.002
"""If this share of a second's samples is cut off, it sounds distorted."""
NEAR: Final = 600
"""A band of speech at most this far above the floor counts as at the floor; speech at 3 m is 15 dB above it or more."""
SPEECH_HZ: Final = (250.0, 8000.0)
QUIET_AFTER_S: Final = 10
"""Quiet begins after this many seconds in a row at the floor."""
SOUNDS_END: Final = 2
"""Quiet ends after this many seconds with a sound within SOUNDS_WITHIN_S."""
SOUNDS_WITHIN_S: Final = 60


@dataclass(frozen=True)
class Verdict:
    """The detector's result after a second."""

    codes: frozenset[str] = frozenset()
    """Faults of the microphone, from CODES."""
    quiet: bool = False
    """Whether a live microphone is at its own floor."""


@dataclass(frozen=True)
class _Rule:
    """When one fault is raised and when it is cleared."""

    seconds: int
    """This many bad seconds ..."""
    of: int
    """... among this many last ones raise it, ..."""
    clear: int
    """... and this many good ones in a row clear it."""


_RULES: Final = {
    SILENT: _Rule(5, 6, 3),
    # a click spoils two seconds: its own, and the next, which differs from it
    MUTED: _Rule(5, 7, 3),
    DIFFERS: _Rule(5, 7, 3),
    # speech is not always loud, and the ledger must not show who is quiet for a moment (promise 7)
    CLIPPING: _Rule(4, 8, 60),
}


_BY_NOISE: Final = (MUTED, DIFFERS)
"""Codes that are raised because the noise is missing and cleared only when it returns: a voice that leaks through a
switch does not clear them."""


class _Held:
    """Counts bad and good seconds of one fault."""

    def __init__(self, rule: _Rule) -> None:
        self._rule = rule
        self._last: deque[bool] = deque(maxlen=rule.of)
        self._good = 0
        self.holds = False

    def add_second(self, *, bad: bool, good: bool) -> None:
        self._last.append(bad)
        self._good = self._good + 1 if good else 0
        if sum(self._last) >= self._rule.seconds:
            self.holds = True
        elif self._good >= self._rule.clear:
            self.holds = False

    def interrupt(self) -> None:
        self._last.clear()
        self._good = 0


class Detector:
    """Detects faults and quiet in the levels of successive seconds."""

    def __init__(self, floor: Floor | None, rate: int = 48000) -> None:
        """Compare with `floor`, which was learned at `rate` frames a second."""
        self._held = {code: _Held(rule) for code, rule in _RULES.items()}
        self._floor = floor
        edges = bands(rate)
        speech = [n for n, (low, _) in enumerate(edges) if SPEECH_HZ[0] <= low < SPEECH_HZ[1]]
        self._ceilings = [(n, floor.bands[n] + NEAR) for n in speech] if floor else []
        self._telling = _telling(floor, rate) if floor else []
        self._own = [n for n in self._telling if edges[n][0] >= OWN_NOISE_HZ]
        self._before: tuple[int, ...] | None = None
        self._still = 0
        self._sounds: deque[int] = deque()
        self._second = 0
        self._quiet = False

    @property
    def verdict(self) -> Verdict:
        """The verdict after the last second."""
        codes = frozenset(code for code, held in self._held.items() if held.holds)
        return Verdict(codes, self._quiet and not codes)

    def add_second(self, levels: Levels) -> Verdict:
        """Add the next second; return the verdict."""
        found = self._fault(levels)
        for code, held in self._held.items():
            held.add_second(bad=code == found, good=code != found and (code not in _BY_NOISE or self._refuted(levels)))
        self._update_quiet(levels, found)
        self._before = levels.bands
        return self.verdict

    def interrupt(self) -> None:
        """Note that the next second does not follow the last one: a fault stays until it is cleared, quiet ends."""
        for held in self._held.values():
            held.interrupt()
        self._before = None
        self._still, self._quiet = 0, False
        self._sounds.clear()

    def _fault(self, levels: Levels) -> str | None:
        """Return the code of the fault that this second shows, if any."""
        if levels.constant:
            return SILENT
        if levels.clipped >= CLIPPED:
            return CLIPPING
        if self._floor is None:
            return SILENT if levels.only_rounding else None
        return self._below(self._floor, levels)

    def _below(self, floor: Floor, levels: Levels) -> str | None:
        before, under = self._before, self._under(floor, levels)
        steady = [n for n in under if before and abs(levels.bands[n] - before[n]) <= STEADY]
        if self._sunk(floor, levels):
            return MUTED if len(steady) >= min(STEADY_BANDS, len(self._own)) else None
        far = sum(floor.bands[n] - levels.bands[n] >= FAR_BELOW for n in steady)
        return DIFFERS if far >= DIFFERENT_BANDS else None

    def _under(self, floor: Floor, levels: Levels) -> list[int]:
        return [n for n in self._own if floor.bands[n] - levels.bands[n] >= BELOW]

    def _refuted(self, levels: Levels) -> bool:
        """Return whether the microphone's own noise is there."""
        floor = self._floor
        if levels.constant or floor is None:
            return False
        return not self._sunk(floor, levels) and len(self._under(floor, levels)) < STEADY_BANDS

    def _sunk(self, floor: Floor, levels: Levels) -> bool:
        """Return whether nearly all bands that can show a fall are below the floor."""
        if not self._telling:
            return floor.rms - levels.rms >= BELOW
        down = sum(floor.bands[n] - levels.bands[n] >= BELOW for n in self._telling)
        return down >= MUTED_SHARE * len(self._telling)

    def _update_quiet(self, levels: Levels, found: str | None) -> None:
        self._second += 1
        live = self._floor is not None and found is None and not self._sunk(self._floor, levels)
        still = live and all(levels.bands[n] <= ceiling for n, ceiling in self._ceilings)
        self._still = self._still + 1 if still else 0
        if not self._quiet:
            self._quiet = self._still >= QUIET_AFTER_S
            self._sounds.clear()
        elif not still:
            self._sounds.append(self._second)
            while self._second - self._sounds[0] >= SOUNDS_WITHIN_S:
                self._sounds.popleft()
            # a single door or creak is not a meeting
            self._quiet = len(self._sounds) < SOUNDS_END
        self._quiet = self._quiet and live


def _telling(floor: Floor, rate: int) -> list[int]:
    """Return the bands whose floor is far enough above the noise of rounding to show a fall."""
    telling = []
    for n, (low, high) in enumerate(bands(rate)):
        rounding = 100 * (STEP_NOISE_DB + 10 * math.log10((high - low) / (rate / 2)))
        if floor.bands[n] - rounding >= FAR_BELOW + 200:
            telling.append(n)
    return telling
