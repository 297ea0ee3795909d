"""The lit-lamp token: the only way to the microphone is through the object that a lit lamp returns (promise 1)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from appliance.contract.errors import DeviceError

from .base import Panel


class LampError(DeviceError):
    """The red lamp is not lit, so nothing may be opened."""

    code = "lamp-dark"


class Lamp:
    """The red lamp: the only holder of the panel's red line. Used by the supervisor's main loop alone."""

    def __init__(self, panel: Panel, grace_ns: int) -> None:
        self._panel = panel
        self._grace_ns = grace_ns
        self._commanded = False
        self._seen = False
        self._unseen_ns = 0
        self._serial = 0

    def command(self, *, lit: bool) -> int:
        """Switch the lamp; return CLOCK_MONOTONIC when, in nanoseconds. Every switching makes earlier tokens void."""
        self._serial += 1
        if not lit:
            self._commanded = False
        at_ns = self._panel.set_red(lit)
        self._commanded = lit
        return at_ns

    def sensed(self, *, seen: bool, at_ns: int) -> None:
        """Note what the sensor in the lamp sees."""
        if self._seen and not seen:
            self._unseen_ns = at_ns
        self._seen = seen

    def token(self) -> LitToken:
        """Return the token of a lamp that is lit and, where it can be known, seen; raise LampError otherwise."""
        if not self._commanded or (self._panel.lamp_sensed and not self._seen):
            raise LampError("the red lamp is not lit; check the lamp and its sensor")
        return LitToken(self, self._serial)

    def holds(self, serial: int) -> bool:
        """Tell whether the lamp is lit as it was for token `serial`; its sensor may miss it for the grace time."""
        if not self._commanded or serial != self._serial:
            return False
        return not self._panel.lamp_sensed or self._seen or time.monotonic_ns() - self._unseen_ns < self._grace_ns


@dataclass(frozen=True)
class LitToken:
    """Proof that the lamp is lit; it turns void with the lamp."""

    lamp: Lamp
    serial: int

    @property
    def valid(self) -> bool:
        """Whether the lamp is still lit."""
        return self.lamp.holds(self.serial)

    def require(self) -> None:
        """Raise LampError unless the lamp is still lit."""
        if not self.valid:
            raise LampError("the red lamp went dark; nothing may be opened")
