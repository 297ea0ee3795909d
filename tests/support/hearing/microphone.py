"""A microphone before its converter, and what its faults give instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.contract.commissioning import Floor
from appliance.contract.segment import Samples
from appliance.recorder.microphone_monitor import detector, learn, measure

from .material import CAPSULE, RATE, Wave, noise, quiet

CONVERTER: Final = 0.5
"""The converter's own noise, in steps; no gain changes it."""
PREAMPLIFIER: Final = 0.25
"""What an amplifier without its capsule gives, as a share of the capsule's noise: 12 dB less."""


_AUTOMATIC_TARGET_DB: Final = -42.0
_AUTOMATIC_RISE_DB: Final = 0.1
"""Every hundredth of a second: 10 dB a second."""


class Microphone:
    """A capsule, an amplifier with a gain, a converter; `automatic` gain turns itself down while it is loud."""

    def __init__(self, gain_db: float, seed: int, *, automatic: bool = False) -> None:
        self.gain_db = gain_db
        self._automatic = automatic
        self._down_db = 0.0
        self.random = np.random.default_rng(seed)
        self._gain = 10 ** (gain_db / 20)

    def hear(self, sound: Wave) -> Samples:
        wave: Wave = np.float32(self._gain) * (sound + np.float32(CAPSULE) * noise(0.0, self.random))
        return self.convert(self._turned_down(wave) if self._automatic else wave)

    def _turned_down(self, wave: Wave) -> Wave:
        blocks = wave.reshape(100, -1)
        loud_db = 20 * np.log10(np.maximum(np.sqrt(np.mean(blocks**2, axis=1)), 0.01) / 32768)
        gains = []
        for level_db in loud_db:
            self._down_db = max(0.0, level_db - _AUTOMATIC_TARGET_DB, self._down_db - _AUTOMATIC_RISE_DB)
            gains.append(10 ** (-self._down_db / 20))
        return np.asarray((blocks * np.asarray(gains)[:, None]).ravel(), np.float32)

    def hum(self, strength: float, hertz: float = 60.0) -> Wave:
        """Mains hum with overtones, `strength` times the capsule's noise."""
        time = np.arange(RATE) / RATE
        wave = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in (1, 2, 3, 5))
        return np.asarray(strength * CAPSULE * self._gain * wave, np.float32)

    def amplifier(self) -> Wave:
        return np.asarray(self._gain * PREAMPLIFIER * CAPSULE * noise(0.0, self.random), np.float32)

    def convert(self, wave: Wave) -> Samples:
        steps = wave + np.float32(CONVERTER) * noise(0.0, self.random)
        return np.clip(np.rint(steps), -32768, 32767).astype(np.int16)

    def floor(self) -> Floor:
        """What commissioning learns with this microphone in the quiet room."""
        sound = quiet(11)
        return learn([measure(self.hear(next(sound)), RATE) for _ in range(15)])


def _open_line(microphone: Microphone, _sound: Wave) -> Samples:
    """A line input with nothing plugged in: no amplifier's noise, and whatever mains it picks up."""
    time = np.arange(RATE) / RATE
    hum = sum(np.sin(2 * np.pi * 60.0 * n * time) / n**0.5 for n in range(1, 16))
    return microphone.convert(np.asarray(4 * CAPSULE * hum, np.float32))


def _headset(microphone: Microphone, sound: Wave) -> Samples:
    """A telephone headset: nothing above 4 kHz, and more noise below."""
    lines = np.fft.rfft(sound + 2 * CAPSULE * noise(0.0, microphone.random))
    lines[4000:] = 0
    wave = np.fft.irfft(lines, RATE).astype(np.float32)
    return microphone.convert(10 ** (microphone.gain_db / 20) * wave)


def _too_loud(microphone: Microphone, sound: Wave, *, ceiling: float = 32768.0) -> Samples:
    """A gain of 30 dB above the usual one, whatever it was before."""
    wave = 10 ** (30 / 20) * sound
    return microphone.convert(np.clip(wave, -ceiling, ceiling).astype(np.float32))


@dataclass(frozen=True)
class Fault:
    """Something that happens to a microphone."""

    name: str
    code: str
    """What the detector has to say."""
    give: Callable[[Microphone, Wave], Samples]
    in_quiet: bool = True
    """Whether it is there when nobody makes a sound; nothing clips then."""


FAULTS: Final = (
    Fault("digital silence", detector.SILENT, lambda _m, _s: np.zeros(RATE, np.int16)),
    Fault("stuck at a value", detector.SILENT, lambda _m, _s: np.full(RATE, -1234, np.int16)),
    Fault("switched off", detector.MUTED, lambda m, _s: m.convert(m.amplifier())),
    Fault("switched off, hum stays", detector.MUTED, lambda m, _s: m.convert(m.amplifier() + m.hum(0.5))),
    Fault("capture level at nothing", detector.MUTED, lambda m, _s: m.convert(np.zeros(RATE, np.float32))),
    Fault("another input: an open line", detector.DIFFERS, _open_line),
    Fault("another input: a telephone headset", detector.DIFFERS, _headset),
    Fault("gain too high", detector.CLIPPING, _too_loud, in_quiet=False),
    Fault(
        "amplifier cut off below full scale",
        detector.CLIPPING,
        lambda m, s: _too_loud(m, s, ceiling=9000.0),
        in_quiet=False,
    ),
)
