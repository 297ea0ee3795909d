"""Decides whether a new recording continues one that a crash or a power cut interrupted. Pure.

A header that names the wrong recording would join two meetings, so in doubt no recording is named. Within
one boot CLOCK_MONOTONIC tells how long it was; across boots only the wall clock can, and only where it was
synchronized before and is again. A box without a clock battery starts with the time of its last shutdown.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.contract.times import parse_wall
from appliance.recorder.clock import Look

CONTINUES_S = 600
"""A recording that was interrupted less than this many seconds ago may be continued by the next."""


@dataclass(frozen=True)
class Interrupted:
    """A recording that was left open and closed at the next start."""

    recording: str
    boot_id: str
    """The boot in which it was made."""
    alive_ns: int
    """CLOCK_MONOTONIC of its last sign of life, in that boot, in nanoseconds."""
    alive_at: str
    """The wall clock then, in the format's form."""
    synchronized: bool
    """Whether that wall clock was synchronized, by the recording's last entry about it."""

    def age_s(self, now: Look, boot_id: str) -> float | None:
        """Return how long ago that was, in seconds; None: it is not known, or not yet."""
        if boot_id == self.boot_id:
            return (now.monotonic_ns - self.alive_ns) / 1e9
        if not self.synchronized or not now.clock.synchronized:
            return None
        return now.wall_ns / 1e9 - parse_wall(self.alive_at).timestamp()

    def fresh(self, now: Look, boot_id: str) -> bool:
        """Return whether a recording that begins now continues it."""
        age = self.age_s(now, boot_id)
        return age is not None and 0 <= age < CONTINUES_S
