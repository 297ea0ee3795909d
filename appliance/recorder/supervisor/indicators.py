"""Slow lights as a function of time: never faster than 1 Hz (docs/policy.md, guideline 7), amber counts blinks.

No thread runs here: the supervisor's loop asks whether a light is on now, and switches it where that changed. A panel
that draws its lights is told `slow` once and blinks by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.contract.status import Light
from appliance.recorder.panel.base import Panel

SECOND = 1_000_000_000
SLOW_NS = 2 * SECOND
"""Green slow: one second on, one off."""
BLINK_NS = 1_200_000_000
"""Amber: 0.6 s on, 0.6 s off; below 1 Hz."""
REST_NS = 2_400_000_000
"""Dark between two counts of amber."""


def slow(since_ns: int) -> bool:
    """Tell whether a slow light is on, `since_ns` nanoseconds after it became slow."""
    return since_ns % SLOW_NS < SLOW_NS // 2


def counted(since_ns: int, blinks: int) -> bool:
    """Tell whether amber is on, `since_ns` nanoseconds after it began to count `blinks`."""
    place = since_ns % (blinks * BLINK_NS + REST_NS)
    return place < blinks * BLINK_NS and place % BLINK_NS < BLINK_NS // 2


class Indicators:
    """Green and amber of one panel; used by the supervisor's main loop alone."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._draws = panel.kind == "simulated"
        self._green: tuple[Light, int] = ("off", 0)
        self._amber: tuple[Light, int, int] = ("off", 0, 0)
        self._shown: dict[str, bool] = {}
        self.next_ns: int | None = None
        """When `tick` is wanted next; None: nothing moves."""

    def set_green(self, mode: Light, now_ns: int) -> None:
        """Set the green light."""
        self._green = (mode, now_ns)
        if self._draws:
            self._panel.set_green(mode)
        self.tick(now_ns)

    def set_amber(self, mode: Light, blinks: int, now_ns: int) -> None:
        """Set the amber light."""
        self._amber = (mode, blinks, now_ns)
        if self._draws:
            self._panel.set_amber(mode, blinks)
        self.tick(now_ns)

    def tick(self, now_ns: int) -> None:
        """Show what the lights are now, where that changed."""
        if self._draws:
            return
        mode, since_ns = self._green
        self._show("green", slow(now_ns - since_ns) if mode == "slow" else mode == "on")
        mode, blinks, since_ns = self._amber
        self._show("amber", counted(now_ns - since_ns, max(blinks, 1)) if mode == "slow" else mode == "on")
        moving = [(since, half) for mode, since, half in self._halves() if mode == "slow"]
        self.next_ns = min((now_ns + half - (now_ns - since) % half for since, half in moving), default=None)

    def _halves(self) -> Iterator[tuple[Light, int, int]]:
        """Yield of each light its mode, since when, and what all its changes are multiples of."""
        yield (*self._green, SLOW_NS // 2)
        yield (self._amber[0], self._amber[2], BLINK_NS // 2)

    def _show(self, name: str, on: bool) -> None:
        if self._shown.get(name) == on:
            return
        self._shown[name] = on
        switch = self._panel.set_green if name == "green" else self._panel.set_amber
        switch("on" if on else "off")
