"""Ports for what listens on this machine alone."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

from .services import DemoError

_FIRST: Final = 10_000
"""Below it stand the well-known ports and most of the registered ones."""
_TRIES: Final = 1_000


def free_ports(many: int) -> list[int]:
    """Return different ports of 127.0.0.1 on which nothing listens now; raise DemoError if not so many are found.

    The kernel gives none of these to a connection that somebody else opens meanwhile (ip(7), ip_local_port_range): a
    port that it chooses itself could be taken again before its server starts.
    """
    found: set[int] = set()
    for _ in range(_TRIES):
        port = random.randrange(_FIRST, _end())  # noqa: S311 - guards nothing
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.add(port)
        if len(found) == many:
            return list(found)
    raise DemoError(f"too few ports from {_FIRST} to {_end() - 1} are free on 127.0.0.1; stop what listens there")


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]


def _end() -> int:
    """Return the first port that the kernel gives to connections."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    return first if first > _FIRST + _TRIES else 32_768
