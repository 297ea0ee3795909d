"""A front panel in this process, with its history, for tests and for trying things out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from appliance.contract.status import Light
from appliance.recorder.panel.base import PanelEvent, PanelEventKind


@dataclass
class FakePanel:
    """Remembers what it was told; reports what a test lets happen."""

    kind: Literal["gpio", "simulated"] = "simulated"
    lamp_sensed: bool = True
    history: list[tuple[int, str, str]] = field(default_factory=list)
    """(CLOCK_MONOTONIC in nanoseconds, light, state), in order."""
    lamp_broken: bool = False
    """The sensor never sees the lamp."""
    rail_sensed: bool = False
    """The microphone's supply is sensed; it follows the lamp."""
    rail_broken: bool = False
    """The supply follows nothing."""
    _on_event: Callable[[PanelEvent], None] | None = None

    def start(self, on_event: Callable[[PanelEvent], None]) -> None:
        """Begin to report."""
        self._on_event = on_event

    def happen(self, kind: PanelEventKind, at_ns: int | None = None) -> None:
        """Let something happen at the panel."""
        if self._on_event is None:
            raise ValueError("the panel was not started")
        self._on_event(PanelEvent(kind, time.monotonic_ns() if at_ns is None else at_ns))

    def set_red(self, lit: bool) -> int:
        """Remember it, and let the sensor see it."""
        now = self._note("red", "on" if lit else "off")
        if self.lamp_sensed and not self.lamp_broken and self._on_event is not None:
            self.happen("lamp-seen" if lit else "lamp-unseen")
        if self.rail_sensed and not self.rail_broken and self._on_event is not None:
            self.happen("rail-on" if lit else "rail-off")
        return now

    def set_green(self, mode: Light) -> None:
        """Remember it."""
        self._note("green", mode)

    def set_amber(self, mode: Light, blinks: int = 0) -> None:
        """Remember it."""
        self._note("amber", f"{mode} {blinks}" if blinks else mode)

    def close(self) -> None:
        """Put the lights out."""
        for light in ("red", "green", "amber"):
            self._note(light, "off")

    def last(self, light: str) -> str:
        """Return the last state of a light."""
        return next((state for _, name, state in reversed(self.history) if name == light), "off")

    def _note(self, light: str, state: str) -> int:
        now = time.monotonic_ns()
        self.history.append((now, light, state))
        return now
