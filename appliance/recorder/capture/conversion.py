"""Converts a sound card's samples to those of the recording: one channel, 16 bits. Pure.

A quiet 24-bit microphone gets its gain before rounding: speech at -70 dB of full scale has ten steps of 16 bits, and
two thousand of 24.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .input_format import InputFormat

_STEP: Final = 65536.0
"""Steps of 32 bits in one of 16."""


def convert(data: bytes, input_format: InputFormat) -> bytes:
    """Return interleaved little-endian samples as mono 16-bit ones: channel chosen, gain applied, rounded, clipped."""
    samples: Any = np.frombuffer(data, "<i4" if input_format.bits == 32 else "<i2").astype(np.float64)
    if input_format.channels == 2:
        left, right = samples[0::2], samples[1::2]
        samples = {"left": left, "right": right, "mixed": (left + right) / 2}[input_format.channel]
    if input_format.bits == 32:
        samples = samples * (10 ** (input_format.gain_db / 20) / _STEP)
    return bytes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())
