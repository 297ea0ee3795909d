"""Small sounds for the tests of the detector: noise, tones, and what a fault makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.contract.segment import Samples
from appliance.recorder.microphone_monitor.levels import Levels, measure

RATE = 48000
ROOM = 12.0
"""Standard deviation of a quiet room's noise, in steps of 16 bits: -69 dB."""


def pcm(wave: npt.NDArray[np.floating[Any]]) -> Samples:
    cut: Samples = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return cut


def noise(strength: float = ROOM, seed: int = 1, rate: int = RATE) -> Samples:
    return pcm(np.random.default_rng(seed).normal(0.0, strength, rate))


def tone(hertz: float, amplitude: float, rate: int = RATE) -> npt.NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)


def room(seconds: int, strength: float = ROOM, seed: int = 1) -> list[Levels]:
    return [measure(noise(strength, seed * 1000 + second), RATE) for second in range(seconds)]
