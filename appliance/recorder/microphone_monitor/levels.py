"""Measures one second of sound: its level in all and in bands, and whether it is cut off at the top. Pure.

A band is about an octave wide. Its level is the power that an average of short spectra (Welch 1967, Hann's window,
no overlap) has between its edges, so that the bands add up to the whole, except for the part below 60 Hz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from appliance.contract.segment import Samples

EDGES_HZ: Final = (60, 125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000)
"""Edges of the bands. Half the rate ends the last one. Below 60 Hz are rumble, mains hum and a drifting zero."""
FULL_SCALE: Final = 32768.0
SILENCE: Final = -20000
"""The level of no signal at all, in hundredths of a decibel below full scale."""
_SPECTRA_S: Final = 24
"""About this many short spectra make a second: 43 ms each, so that the lowest band has three lines of 23 Hz."""
_CLIP_PEAK: Final = 3277
"""Below a tenth of full scale no microphone is too loud, and the top of a wave has too few steps to be measured."""
_TOP: Final = 1 / 128
"""The part of a wave's height that counts as its top: wide enough for noise on a flat top."""
_RAILS: Final = (-32768, 32767)
"""The ends of the scale; what is there was cut off, whatever constant part the wave stands on."""
_ROUNDING: Final = -9500
"""Below -95 dB one step of 16 bits tells nothing but its own rounding (1/12 of a step squared: -101 dB)."""
_UNCLIPPED: Final = 3
"""The top of a wave that is not cut off has at most this many times the samples of the part below it; a sine: 2.4."""


@dataclass(frozen=True)
class Levels:
    """One second's levels, in hundredths of a decibel below full scale (appliance/contract/commissioning.py)."""

    rms: int
    """The whole signal without its constant part."""
    bands: tuple[int, ...]
    """The same in bands, from low to high."""
    peak: int
    """The greatest sample, constant part included."""
    clipped: float
    """Share of the samples, 0 to 1, that are cut off: at full scale, or at a flat top below it."""
    constant: bool
    """Whether all samples are equal: digital silence, or an input that is stuck."""
    step: int = 1
    """The least difference between two values that occur: more than 1 where the card's low bits are always zero and a
    gain raised the rest."""

    @property
    def only_rounding(self) -> bool:
        """Whether it is no more than the noise of rounding to the card's own steps, as a dead input gives it."""
        return self.rms < _ROUNDING + 2000 * math.log10(self.step)


def bands(rate: int) -> tuple[tuple[float, float], ...]:
    """Return the lower and upper edge of each band at `rate` frames in a second, in hertz."""
    half = rate / 2
    return tuple((low, min(high, half)) for low, high in pairwise(EDGES_HZ) if low < half)


def measure(samples: Samples, rate: int) -> Levels:
    """Return the levels of about a second of `samples` (one-dimensional int16, not empty) at `rate` frames in a second.

    Less than one short spectrum (43 ms) is padded with its own mean; such a level is not accurate.
    """
    low, high = int(samples.min()), int(samples.max())
    peak = _level(max(abs(low), abs(high)) ** 2)
    if low == high:
        return Levels(SILENCE, (SILENCE,) * len(bands(rate)), peak, 0.0, constant=True)
    # widened first: squares of int16 overflow, and so does the absolute value of -32768
    wide = samples.astype(np.float32)
    wide -= np.float32(samples.mean(dtype=np.float64))
    square = float(np.dot(wide, wide)) / samples.size
    return Levels(
        _level(square), _bands(wide, rate), peak, _clipped(samples, wide), constant=False, step=_step(samples, low)
    )


def _step(samples: Samples, low: int) -> int:
    values = np.flatnonzero(np.bincount(samples.astype(np.int32) - low))
    return int(np.diff(values).min())


def _level(square: float) -> int:
    if square <= 0:
        return SILENCE
    return min(0, max(SILENCE, round(1000 * math.log10(square / FULL_SCALE**2))))


@lru_cache(maxsize=4)
def _spectrum(rate: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp], float]:
    """Return the window, the first line of each band (and the one behind the last), and a line's scale."""
    size = 1 << round(math.log2(rate / _SPECTRA_S))
    window = np.hanning(size + 1)[:size].astype(np.float32)
    edges = [low for low, _ in bands(rate)]
    lines = np.asarray([math.ceil(edge * size / rate) for edge in edges], np.intp)
    return window, lines, 2.0 / (size * float(np.sum(window.astype(np.float64) ** 2)))


def _bands(wide: npt.NDArray[np.float32], rate: int) -> tuple[int, ...]:
    window, lines, scale = _spectrum(rate)
    size = window.size
    count = max(1, wide.size // size)
    if wide.size < size:
        wide = np.concatenate([wide, np.zeros(size - wide.size, np.float32)])
    spectra: npt.NDArray[Any] = np.fft.rfft(wide[: count * size].reshape(count, size) * window)
    # real and imaginary parts alternate, in single or double precision depending on the version of numpy
    squares = np.square(spectra.view(spectra.real.dtype)).sum(axis=0)
    sums = np.add.reduceat(squares, 2 * lines)
    return tuple(_level(float(value) * scale / count) for value in sums)


def _clipped(samples: Samples, wide: npt.NDArray[np.float32]) -> float:
    """Return the share of samples at the top of the wave beyond those of a wave that is not cut off.

    The wave is measured from its middle: on the constant part of an I2S microphone (SPH0645: up to a tenth of full
    scale) the noise of a quiet room would look like a flat top.
    """
    count = 0.0
    # each side separately: an amplifier often cuts off one before the other
    for side in (wide, -wide):
        height = float(side.max())
        if height >= _CLIP_PEAK:
            top = int(np.count_nonzero(side >= height * (1 - _TOP)))
            count += max(0, top - _UNCLIPPED * (int(np.count_nonzero(side >= height * (1 - 2 * _TOP))) - top))
    railed = sum(int(np.count_nonzero(samples == rail)) for rail in _RAILS)
    return max(count, railed) / samples.size
