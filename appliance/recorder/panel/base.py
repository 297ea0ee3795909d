"""What a front panel is: one button, three lights, and sense lines where they are wired.

A panel calls `on_event` from a thread of its own; `on_event` only enqueues, so that a panel never waits. The
supervisor's main loop calls everything else, which returns at once. The supervisor blinks slow lights: a panel that has
real lines gets `on` and `off` in turn (indicators.py), a panel that draws is told `slow`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from appliance.contract.status import Light

PanelEventKind = Literal[
    "button-down", "button-found-down", "button-up", "lamp-seen", "lamp-unseen", "rail-on", "rail-off", "panel-lost",
]  # fmt: skip


@dataclass(frozen=True)
class PanelEvent:
    """Something happened at the panel."""

    kind: PanelEventKind
    at_ns: int
    """CLOCK_MONOTONIC when it happened, in nanoseconds."""


class Panel(Protocol):
    """Button and lights, real or simulated."""

    @property
    def kind(self) -> Literal["gpio", "simulated"]:
        """What every header and status says about this panel."""

    @property
    def lamp_sensed(self) -> bool:
        """Whether a sensor in the lamp is wired, so that `lit` means seen to be lit."""

    def start(self, on_event: Callable[[PanelEvent], None]) -> None:
        """Begin to report; all lights are dark. Present states of the lines are reported first.

        A button that is down already is `button-found-down`: it starts nothing.
        """

    def set_red(self, lit: bool) -> int:
        """Switch the red lamp; return CLOCK_MONOTONIC when it was commanded, in nanoseconds."""

    def set_green(self, mode: Light) -> None:
        """Set the green light."""

    def set_amber(self, mode: Light, blinks: int = 0) -> None:
        """Set the amber light; `slow` with a code's count of blinks."""

    def close(self) -> None:
        """Put the lamp out and let go of the lines."""
