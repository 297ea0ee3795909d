"""How far the wall clock can be trusted, and which boot CLOCK_MONOTONIC counts in. Nothing here touches a disk."""

from __future__ import annotations

import ctypes
from pathlib import Path

from appliance.contract.times import Clock

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LIBC = ctypes.CDLL(None, use_errno=True)


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
    """Return the kernel's word on the wall clock; a kernel that gives none counts as not synchronised."""
    timex = _Timex()
    verdict = _LIBC.adjtimex(ctypes.byref(timex))
    if verdict < 0:
        return Clock(synchronised=False, source="none", offset_ns=None)
    return judge(verdict, timex.status, timex.offset)


def judge(verdict: int, status: int, offset: int) -> Clock:
    """Return what adjtimex's answer means (adjtimex(2))."""
    if verdict == _TIME_ERROR or status & _STA_UNSYNC:
        return Clock(synchronised=False, source="none", offset_ns=None)
    return Clock(synchronised=True, source="ntp", offset_ns=offset if status & _STA_NANO else offset * 1000)


def boot_id() -> str:
    """Return the kernel's boot id."""
    return _BOOT_ID.read_text(encoding="ascii").strip()
