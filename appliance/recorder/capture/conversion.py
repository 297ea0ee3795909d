"""Converts a sound card's samples to those of the recording: one channel, 16 bits. Pure.

A quiet 24-bit microphone gets its gain before rounding: speech at -70 dB of full scale has ten steps of 16 bits, and
two thousand of 24. Only the sound is raised. Such microphones also have a constant offset, up to a tenth of full scale
(Knowles SPH0645LM4H: public reports of 5 to 11 %), which 20 dB would put beyond the end of the scale, and the sound
with it; so the offset stays what the microphone gave.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from .input_format import InputFormat

_STEP: Final = 65536.0
"""Steps of 32 bits in one of 16."""
_OFFSET_HZ: Final = 1.0
"""What changes more slowly than this is the offset; no sound does."""


class Converter:
    """Converts the blocks of one capture, in their order."""

    def __init__(self, input_format: InputFormat, rate: int) -> None:
        """Convert what the card gives at `rate` frames a second."""
        self._input = input_format
        self._rate = rate
        self._factor = 10 ** (input_format.gain_db / 20)
        self._offset: float | None = None

    def convert(self, data: bytes) -> bytes:
        """Return interleaved little-endian samples as mono 16-bit ones: channel chosen, raised, rounded, clipped."""
        wide = self._input.bits == 32
        samples: Any = np.frombuffer(data, "<i4" if wide else "<i2").astype(np.float64)
        if self._input.channels == 2:
            left, right = samples[0::2], samples[1::2]
            samples = {"left": left, "right": right, "mixed": (left + right) / 2}[self._input.channel]
        if wide:
            samples = samples / _STEP
        if self._factor != 1.0 and samples.size:
            samples = samples * self._factor - self._offsets(samples) * (self._factor - 1)
        return bytes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())

    def _offsets(self, samples: Any) -> Any:
        """Return the offset at each sample: a line from what it was to what it is, so that no step is heard."""
        mean = float(samples.mean())
        before = mean if self._offset is None else self._offset
        follows = 1 - math.exp(-2 * math.pi * _OFFSET_HZ * samples.size / self._rate)
        self._offset = before + follows * (mean - before)
        return np.linspace(before, self._offset, samples.size)
