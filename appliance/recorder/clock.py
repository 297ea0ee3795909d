"""How far the wall clock can be trusted. Nothing here touches a disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.contract import times
from appliance.contract.kernel_clock import read_clock
from appliance.contract.times import Clock

_TOGETHER_NS = 1_000_000
_TRIES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Look:
    """Both clocks, read at the same moment, and what the kernel says about one of them."""

    wall_ns: int
    """CLOCK_REALTIME, in nanoseconds."""
    monotonic_ns: int
    """CLOCK_MONOTONIC, in nanoseconds."""
    clock: Clock
    """How far CLOCK_REALTIME can be trusted."""

    @property
    def difference_ns(self) -> int:
        """How far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC, in nanoseconds."""
        return self.wall_ns - self.monotonic_ns

    def wall_at(self, monotonic_ns: int) -> str:
        """Return what the wall clock shows or showed at a moment of CLOCK_MONOTONIC, unless it is stepped between."""
        return times.wall(_EPOCH + timedelta(microseconds=(self.difference_ns + monotonic_ns) // 1000))


def look() -> Look:
    """Return both clocks, read within a millisecond of each other unless the machine never lets that happen."""
    for _ in range(_TRIES):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        took_ns = time.monotonic_ns() - before_ns
        if took_ns < _TOGETHER_NS:
            break
    return Look(wall_ns, before_ns + took_ns // 2, read_clock())


def ns(seconds: float) -> int:
    """Return seconds as nanoseconds."""
    return round(seconds * 1_000_000_000)
