"""Learns what a microphone gives when nobody speaks. Pure.

The floor is the microphone's own noise and that of the room with everything switched off. What a meeting adds can only
lie above it; what lies below it is not that microphone (judge.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from appliance.contract.commissioning import Floor
from appliance.contract.errors import DeviceError

from .levels import EDGES_HZ, Levels

LEAST_S: Final = 5
"""Fewer seconds than this teach nothing."""
PERCENTILE: Final = 10
"""A floor is low, but one odd second must not make it; it is reached by a tenth of the seconds."""
WANDER: Final = 600
"""A quiet room's seconds differ less, in hundredths of a decibel; a word or a step differs more."""
LOUDEST: Final = -4000
"""A floor above -40 dB leaves speech too little room: a gain that is far too high, or a loud room."""
LOWEST: Final = -9500
"""A floor below -95 dB is the converter's own steps (1/12 of a step squared: -101 dB) and no microphone."""
CLIPPED: Final = 0.001
"""Share of samples cut off in a second that no quiet room has."""
_FROM_BAND: Final = EDGES_HZ.index(250)
"""Below 250 Hz even a quiet room wanders: doors, lifts, wind."""


class FloorError(DeviceError):
    """The noise floor could not be learned."""

    code: ClassVar[str] = "no-floor"


@dataclass(frozen=True)
class Gain:
    """How a microphone's gain is turned, as a part of a sentence."""

    up: str = "raise its capture level with alsamixer"
    down: str = "lower its capture level with alsamixer"


def learn(levels: Sequence[Levels], gain: Gain | None = None) -> Floor:
    """Return the floor of a quiet room from its seconds (measure); ten or more are good, five the least.

    `gain`: how this microphone's gain is turned, for the remedy.

    Raises FloorError, which says what to do, if the input is dead or clipping or the room was not quiet.
    """
    gain = gain or Gain()
    if len(levels) < LEAST_S:
        raise FloorError(f"{len(levels)} s of sound teach no noise floor; listen for at least {LEAST_S} s")
    if 2 * sum(second.constant for second in levels) >= len(levels):
        raise FloorError(
            "the microphone gives nothing, or always the same: it is switched off or muted, its input is dead, or the "
            f"other channel carries the sound (microphone.channel). Switch it on, {gain.up}, and try again"
        )
    if 2 * sum(second.clipped > CLIPPED for second in levels) >= len(levels):
        raise FloorError(f"the microphone clips in a quiet room; {gain.down}, and try again")
    live = [second for second in levels if not second.constant]
    rms = np.asarray([second.rms for second in live], np.float64)
    bands = np.asarray([second.bands for second in live], np.float64)
    floor = Floor(rms=_low(rms), bands=[_low(column) for column in bands.T])
    _check_quiet(np.column_stack([rms, bands[:, _FROM_BAND:]]))
    if floor.rms > LOUDEST:
        raise FloorError(
            f"the quiet room is at {floor.rms / 100:.0f} dB of full scale, above {LOUDEST / 100:.0f}: "
            f"{gain.down}, switch off what hums or blows, and try again"
        )
    if floor.rms < LOWEST:
        raise FloorError(
            f"the microphone gives {floor.rms / 100:.0f} dB of full scale, which is rounding and no "
            f"microphone: it is muted, or so quiet that 16 bits do not hold it. Switch it on, {gain.up}, and try again"
        )
    return floor


def _low(column: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    return round(float(np.percentile(column, PERCENTILE)))


def _check_quiet(seconds: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    spread = float(
        np.max(np.percentile(seconds, 100 - PERCENTILE, axis=0) - np.percentile(seconds, PERCENTILE, axis=0))
    )
    if spread > WANDER:
        raise FloorError(
            f"the room was not quiet: its noise changed by {spread / 100:.0f} dB from second to second. Let everybody "
            "be still, switch off what comes and goes, and try again"
        )
