"""Keeps what hears from what talks (promise 4), where no unit does it: a commissioning is started by hand, by root."""

from __future__ import annotations

import ctypes
from typing import Final

_CLONE_NEWNET: Final = 0x40000000


def leave_network() -> bool:
    """Move this process, and what it starts, into a network of its own with nothing in it; tell whether that worked.

    Only root may (unshare(2)). The terminal and local sockets stay.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWNET) == 0)
