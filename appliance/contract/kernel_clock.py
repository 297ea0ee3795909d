"""Whether the kernel calls the wall clock synchronized. Nothing here touches a disk."""

from __future__ import annotations

import ctypes

from .times import Clock

_STA_PLL = 0x0001
_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5
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
