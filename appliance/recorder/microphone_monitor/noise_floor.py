"""Learns the noise floor: the levels of a microphone while nobody speaks. Pure.

The floor is the microphone's own noise and that of the room with everything switched off. A meeting can only add to
it; lower levels come from another microphone (detector.py).
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
"""Fewer seconds than this are too few to learn a floor."""
PERCENTILE: Final = 10
"""The floor is the level that a tenth of the seconds do not reach, so that one odd second does not set it."""
WANDER: Final = 600
"""The seconds of a quiet room differ by less than this, in hundredths of a decibel; a word or a step differs more."""
LOUDEST: Final = -4000
"""A floor above -40 dB leaves speech too little room: a gain that is far too high, or a loud room."""
CLIPPED: Final = 0.001
"""No second of a quiet room has more than this share of its samples cut off."""
_FROM_BAND: Final = EDGES_HZ.index(250)
"""Below 250 Hz the level varies even in a quiet room: doors, elevators, wind."""


class FloorError(DeviceError):
    """The noise floor could not be learned."""

    code: ClassVar[str] = "no-floor"


@dataclass(frozen=True)
class Gain:
    """How to change a microphone's gain, as part of a sentence; the default fits a card that is not known."""

    up: str = "raise its capture level (with alsamixer if its card has a mixer)"
    down: str = "lower its capture level (with alsamixer if its card has a mixer)"


def learn(levels: Sequence[Levels], gain: Gain | None = None) -> Floor:
    """Return the floor of a quiet room from the levels of its seconds: at least five, better ten or more.

    `gain`: how to change this microphone's gain, for the remedy.

    Raises FloorError, which says what to do, if the input is dead (field `microphone`) or clipping (`clipping`) or the
    room was not quiet (`quiet`).
    """
    gain = gain or Gain()
    if len(levels) < LEAST_S:
        raise FloorError(
            f"a noise floor cannot be learned from {len(levels)} s of sound; listen for at least {LEAST_S} s",
            field="microphone",
        )
    if 2 * sum(second.constant for second in levels) >= len(levels):
        raise FloorError(
            "the microphone gives nothing, or always the same value: it is switched off or muted, its input is dead, "
            f"or the other channel carries the sound (microphone.channel). Switch it on, {gain.up}, and try again",
            field="microphone",
        )
    if 2 * sum(second.clipped > CLIPPED for second in levels) >= len(levels):
        raise FloorError(f"the microphone clips in a quiet room; {gain.down}, and try again", field="clipping")
    live = [second for second in levels if not second.constant]
    rms = np.asarray([second.rms for second in live], np.float64)
    bands = np.asarray([second.bands for second in live], np.float64)
    floor = Floor(rms=_low(rms), bands=[_low(column) for column in bands.T])
    _check_quiet(np.column_stack([rms, bands[:, _FROM_BAND:]]))
    if floor.rms > LOUDEST:
        raise FloorError(
            f"the quiet room is at {floor.rms / 100:.0f} dB of full scale, above {LOUDEST / 100:.0f}: "
            f"{gain.down}, switch off what hums or blows, and try again",
            field="quiet",
        )
    if 2 * sum(second.only_rounding for second in live) >= len(live):
        steps = max(second.step for second in live)
        coarse = f" The card's low bits are always zero, so that its steps are {steps} after the gain." * (steps > 1)
        raise FloorError(
            f"the microphone gives {floor.rms / 100:.0f} dB of full scale, which is only the noise of rounding: it is "
            f"muted, or too quiet for the bits of its card.{coarse} Switch it on, {gain.up}, and try again",
            field="microphone",
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
            f"the room was not quiet: its noise changed by {spread / 100:.0f} dB from second to second. Ask everybody "
            "to be still, switch off what comes and goes, and try again",
            field="quiet",
        )
