"""Takes the network from commissioning (promise 4): root starts it by hand, so no systemd unit does that."""

from __future__ import annotations

import ctypes
from typing import Final

_CLONE_NEWNET: Final = 0x40000000


def leave_network() -> bool:
    """Move this process and its children into an empty network namespace; return whether that worked.

    Only root may do so (unshare(2)). The terminal and local sockets still work.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWNET) == 0)
