"""When the button begins a commissioning instead of a recording. Pure; it listens to the panel alone.

A box that has no record of commissioning offers it once a start: its first press begins it, and after that, whatever
came of it, a press records. A button that is held while the box boots begins it on any box.
"""

from __future__ import annotations

from typing import Final

from appliance.recorder.panel.base import PanelEvent

HOLD_NS: Final = 3_000_000_000
"""How long the button is held at boot, in nanoseconds."""
BOOT_NS: Final = 180_000_000_000
"""So long after the kernel's start, in nanoseconds, the box counts as booting; later a held button is a stuck one."""
IDLE_PHASES: Final = frozenset({"idle", "fault", "self-test"})


class CommissioningOffer:
    """What the panel asked for."""

    def __init__(self, *, first_press: bool) -> None:
        """Offer it to the first press, or only to a button that is held while the box boots."""
        self._first_press = first_press
        self._held_since_ns: int | None = None

    def is_taken(self, event: PanelEvent, phase: str) -> bool:
        """Take what happened at the panel; return True if a commissioning begins now."""
        if event.kind == "button-found-down":
            # CLOCK_MONOTONIC counts from the kernel's start
            self._held_since_ns = event.at_ns if event.at_ns < BOOT_NS else None
        elif event.kind == "button-up":
            self._held_since_ns = None
        return event.kind == "button-down" and self._first_press and phase in IDLE_PHASES

    def is_held(self, now_ns: int, phase: str) -> bool:
        """Tell whether the button was held long enough while the box booted."""
        since = self._held_since_ns
        return since is not None and now_ns - since >= HOLD_NS and phase in IDLE_PHASES
