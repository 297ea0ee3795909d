"""What is opened of a sound card, and what of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHANNELS: Final = ("left", "right", "mixed")
DEVICE_FAILED: Final = "device-failed"
"""Why a device that is there could not be started, where PortAudio says no more."""


@dataclass(frozen=True)
class InputFormat:
    """The settings' `microphone.channels`, `channel`, `bits` and `gain_db`."""

    channels: int = 1
    """Channels that are opened, 1 or 2."""
    channel: str = "left"
    """Which of two is kept; one of CHANNELS."""
    bits: int = 16
    """Bits of a sample as it is opened, 16 or 32."""
    gain_db: float = 0.0
    """What a 32-bit sample is raised by before it is rounded to 16 bits, in decibels."""

    @property
    def plain(self) -> bool:
        """Whether samples go into the ring as they come."""
        return self.channels == 1 and self.bits == 16
