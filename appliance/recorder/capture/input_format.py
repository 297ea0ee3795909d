"""The format in which a sound card is opened, and which part of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHANNELS: Final = ("left", "right", "mixed")
DEVICE_FAILED: Final = "device-failed"
"""The code for a device that exists but could not be started, if PortAudio gives no reason."""


@dataclass(frozen=True)
class InputFormat:
    """The settings' `microphone.channels`, `channel`, `bits` and `gain_db`."""

    channels: int = 1
    """Channels to open, 1 or 2."""
    channel: str = "left"
    """Which of two channels is recorded; one of CHANNELS."""
    bits: int = 16
    """Bits of a sample of the card, 16 or 32."""
    gain_db: float = 0.0
    """Gain of a 32-bit sample before it is rounded to 16 bits, in decibels."""

    @property
    def plain(self) -> bool:
        """Whether samples go into the ring unchanged."""
        return self.channels == 1 and self.bits == 16
