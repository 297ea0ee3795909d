"""A slow uplink that several boxes share: a proxy on the loopback that passes so many bits a second, fairly."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

PIECE = 2048
"""Bytes that one connection may send at a time, so that all share the line."""


class SlowLine:
    """Passes what is sent to it on to a port of 127.0.0.1, at a limited rate; answers pass freely."""

    def __init__(self, target: int, kbit_s: float) -> None:
        self._target = target
        self._rate = kbit_s * 1000 / 8
        self._lock = threading.Lock()
        self._free_at = time.monotonic()
        self._server = socket.create_server(("127.0.0.1", 0))
        # packets and buffers as on a line, so that what is not sent yet is not acknowledged either
        self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass_on, args=[near, far, True], daemon=True).start()
                threading.Thread(target=self._pass_on, args=[far, near, False], daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, limited: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE if limited else 65536):
                if limited:
                    time.sleep(self._turn(len(data)))
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _turn(self, size: int) -> float:
        """Return how long until the line has passed so many bytes, after those that came before."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self._rate
            return self._free_at - now


@contextlib.contextmanager
def slow_line(target: int, kbit_s: float) -> Iterator[SlowLine]:
    """A line to the port `target`; closed at exit."""
    line = SlowLine(target, kbit_s)
    try:
        yield line
    finally:
        line.close()
