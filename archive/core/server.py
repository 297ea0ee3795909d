"""granian, started from our own command: sockets, TLS and worker processes, in front of archive.asgi."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

HEADERS_MS: Final = 10_000
"""A request's first line and headers must have arrived within so long, in milliseconds."""
MAX_HEADERS: Final = 32 << 10
"""Most bytes of them."""
MAX_CONNECTIONS: Final = 8192
"""Most connections of one worker: idle ones cost a socket each, and a full table would keep everyone out."""
STOP_S: Final = 10
"""Requests in hand may take so long at the end, in seconds."""


@dataclass(frozen=True)
class Listening:
    """Where and how to listen."""

    host: str
    port: int
    workers: int
    """Worker processes."""
    certificate: Path | None
    """TLS certificate chain (PEM), or None for plain HTTP."""
    key: Path | None
    """Its private key (PKCS#8 PEM)."""


def serve(where: Listening) -> None:
    """Serve until SIGTERM or SIGINT; a worker that dies is started again."""
    Granian(
        "archive.asgi:application",
        address=where.host,
        port=where.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        loop=Loops.asyncio,
        runtime_mode=RuntimeModes.st,
        workers=where.workers,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=STOP_S,
        backlog=2048,
        backpressure=MAX_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS, max_buffer_size=MAX_HEADERS),
        log_level=LogLevels.warning,
        # through our own gate (archive/core/logs.py)
        log_dictconfig={"loggers": {"_granian": {"handlers": [], "propagate": True}}},
        ssl_cert=where.certificate,
        ssl_key=where.key,
        ssl_protocol_min=SSLProtocols.tls12,
        process_name=None,
    ).serve()
