"""Detects steps of the wall clock against CLOCK_MONOTONIC, and changes of its synchronization. Pure.

On Linux a time source that slews (NTP, at most 500 ppm) moves both clocks alike, so that between steps their difference
stands still; on other kernels and under some hypervisors it may creep as fast as that. So the reference follows the
difference, never faster than a slew could move it, and what is left beyond it is a step. Steps too small to enter
are not lost: as long as the reference has not caught up with them they add up, and are entered together.
"""

from __future__ import annotations

from typing import Final

from appliance.contract.ledger import ClockChange
from appliance.recorder.clock import Look

STEP_NS: Final = 100_000_000
"""A wall clock that is this far off its reference was stepped, in nanoseconds. The time daemons' own smallest steps are
larger (ntpd 128 ms, systemd-timesyncd 400 ms, chrony as configured, a leap second 1 s), and two clocks that are read
one after the other differ by far less."""
SLEW_PPM: Final = 500
"""The fastest slew of a wall clock, in parts per million (adjtimex(2): the greatest frequency correction)."""
EVERY_NS: Final = 1_000_000_000
"""The time between two looks, in nanoseconds."""


class ClockStepDetector:
    """Compares each look at the clocks with the one before; the first is that of the recording's header."""

    def __init__(self, first: Look) -> None:
        self._reference_ns = first.difference_ns
        self._seen_ns = first.monotonic_ns
        self._trust = (first.clock.synchronized, first.clock.source)

    def due(self, monotonic_ns: int) -> bool:
        """Return whether it is time for the next look."""
        return monotonic_ns - self._seen_ns >= EVERY_NS

    def add_look(self, look: Look) -> ClockChange | None:
        """Add a look; return the change for the ledger, or None if nothing changed."""
        off = look.difference_ns - self._reference_ns
        slewed = max(look.monotonic_ns - self._seen_ns, 0) * SLEW_PPM // 1_000_000
        step = off if abs(off) - slewed > STEP_NS else 0
        self._reference_ns += step or min(max(off, -slewed), slewed)
        self._seen_ns = look.monotonic_ns
        trust, before = (look.clock.synchronized, look.clock.source), self._trust
        if not step and trust == before:
            return None
        self._trust = trust
        at = look.wall_at(look.monotonic_ns)
        return ClockChange(t_ns=look.monotonic_ns, at=at, step_ns=step, clock=look.clock)
