"""How far the wall clock can be trusted. Nothing here touches a disk."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.contract import times
from appliance.contract.times import Clock

_STA_PLL = 0x0001
_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5
_LIBC = ctypes.CDLL(None, use_errno=True)
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


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("fraction", ctypes.c_long))


class _Timex(ctypes.Structure):
    # struct timex of <sys/timex.h>; the tail of reserved words is kept larger than any kernel's
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("reserved", ctypes.c_long * 32),
    )


def read_clock() -> Clock:
    """Return what the kernel says about the wall clock; if it says nothing, the clock counts as not synchronized."""
    timex = _Timex()
    verdict = _LIBC.adjtimex(ctypes.byref(timex))
    if verdict < 0:
        return Clock(synchronized=False, source="none", offset_ns=None)
    return interpret_adjtimex(verdict, timex.status, timex.offset)


def interpret_adjtimex(verdict: int, status: int, offset: int) -> Clock:
    """Return what the answer of adjtimex means (adjtimex(2)).

    The kernel knows an offset only where its own loop makes up for it (ntpd, systemd-timesyncd); chrony does not
    report it, so the field is 0 and means nothing.
    """
    if verdict == _TIME_ERROR or status & _STA_UNSYNC:
        return Clock(synchronized=False, source="none", offset_ns=None)
    nanoseconds = offset if status & _STA_NANO else offset * 1000
    return Clock(synchronized=True, source="ntp", offset_ns=nanoseconds if status & _STA_PLL else None)


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
