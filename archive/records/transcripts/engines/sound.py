"""A recording's sound as an engine wants it: 16 kHz, in stretches that end where it is quiet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.contract.segment import Samples

from .protocol import RATE

STRETCH_S: Final = 120
"""Length of a stretch, in seconds; memory depends on it, and what a stop loses."""
_LOOK_BACK_S: Final = 20
"""A stretch ends at the quietest moment of its last seconds, so that no word is cut."""
_QUIET_S: Final = 0.3
"""Length of that moment, in seconds."""
_TAPS: Final = 97


@dataclass(frozen=True)
class Stretch:
    """Some sound."""

    first_ms: int
    """Where it begins in the recording, in milliseconds."""
    samples: Samples
    """At 16 kHz."""


def stretches(frames: int, rate: int, read: Callable[[int, int], Samples]) -> Iterator[Stretch]:
    """Yield the sound of `frames` frames at `rate` a second, which `read(first, frames)` gives; no frame twice."""
    first = 0
    while first < frames:
        samples = read(first, STRETCH_S * rate)
        if first + samples.size < frames:
            samples = samples[: _quietest(samples, rate)]
        yield Stretch(first * 1000 // rate, resampled(samples, rate))
        first += samples.size


def _quietest(samples: Samples, rate: int) -> int:
    """Return the middle of the quietest moment near the end."""
    size = int(_QUIET_S * rate)
    begin = max(samples.size - _LOOK_BACK_S * rate, 0)
    squares = np.concatenate([[0.0], np.cumsum(samples[begin:].astype(np.float64) ** 2)])
    power = squares[size:] - squares[:-size]
    return begin + int(np.argmin(power)) + size // 2


def resampled(samples: Samples, rate: int) -> Samples:
    """Return the same sound at 16 kHz: what lies above 7 kHz is taken out first where the rate is higher."""
    if rate == RATE or not samples.size:
        return samples
    sound: npt.NDArray[np.float64] = samples.astype(np.float64)
    if rate > RATE:
        # a windowed sinc, its pass band up to 7 kHz
        places = np.arange(_TAPS) - _TAPS // 2
        taps = np.sinc(2 * 7000 / rate * places) * np.hamming(_TAPS)
        sound = np.convolve(sound, taps / taps.sum(), mode="same") if sound.size >= _TAPS else sound
    at = np.arange(int(sound.size * RATE / rate)) * (rate / RATE)
    heard: Samples = np.clip(np.rint(np.interp(at, np.arange(sound.size), sound)), -32768, 32767).astype(np.int16)
    return heard
