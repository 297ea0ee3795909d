"""Bounding a whole request: sending may take as long as it makes progress, and the answer has one limit in all.

A socket's own time-out bounds each single call, so that a byte now and then would keep a request going for ever. Here a
thread watches how many bytes the other side has acknowledged (tcp(7), TCP_INFO) and shuts the connection down when
that stands still for too long, or when the courier is to stop.

Concurrency: `watching` starts one thread named `request-guard` and joins it. It touches the connection only to count
and to shut it down, which wakes the thread that sends or receives.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from urllib3.connection import HTTPConnection

from appliance.contract.stop_signal import StopSignal

MIN_RATE = 1024
"""Slower than this a body is not sent, in bytes a second: a segment of one second would take minutes."""
TICK_S = 0.25
"""How often progress is looked at, in seconds."""
_BYTES_ACKED = struct.Struct("=120xQ")
"""tcpi_bytes_acked in struct tcp_info (linux/tcp.h)."""


class _Watched:
    """What is put before one of urllib3's connection classes."""

    guard: RequestGuard
    sock: socket.socket

    def connect(self) -> None:
        """Connect, and be watched."""
        super().connect()  # type: ignore[misc]  # urllib3's
        self.guard.connected(self.sock)


class RequestGuard:
    """Watches the requests of one client, one at a time."""

    def __init__(self, stop: StopSignal, limit_s: float, progressed: Callable[[], None]) -> None:
        """Give up after `limit_s` seconds without progress, or at `stop`; call `progressed` when bytes got through."""
        self._stop = stop
        self._limit_s = limit_s
        self._progressed = progressed
        self._socket: socket.socket | None = None
        self.gave_up = ""
        """Why the present request was given up; empty while it was not."""

    def connected(self, connection: socket.socket) -> None:
        """Watch `connection` from now on; raise TimeoutError if the request was given up meanwhile."""
        # the guard alone limits how long it blocks
        connection.settimeout(None)
        self._socket = connection
        if self.gave_up:
            raise TimeoutError(self.gave_up)

    def watch_class(self, base: type[HTTPConnection]) -> type[HTTPConnection]:
        """Return urllib3's connection class `base`, with connections that this guard watches."""
        return type(base.__name__, (_Watched, base), {"guard": self})

    @contextlib.contextmanager
    def watching(self, size: int) -> Iterator[None]:
        """Watch a request with a body of `size` bytes."""
        self.gave_up = ""
        done = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        thread = threading.Thread(target=self._watch, args=(done, size), name="request-guard")
        thread.start()
        try:
            yield
        finally:
            os.eventfd_write(done, 1)
            thread.join()
            os.close(done)

    def _watch(self, done: int, size: int) -> None:
        poll = select.poll()
        poll.register(done, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        began = moved = time.monotonic()
        acked = self._acked()
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(TICK_S * 1000)}
            if done in ready:
                return
            now, before, acked = time.monotonic(), acked, self._acked()
            if acked != before:
                moved = now
                self._progressed()
            if self._stop.is_set():
                self._give_up("the courier is to stop")
            elif now - moved > self._limit_s:
                self._give_up(f"it timed out: nothing was sent or answered within {self._limit_s:g} s")
            elif now - began > 2 * self._limit_s + size / MIN_RATE:
                self._give_up(f"it took less than {MIN_RATE} bytes a second")
            if self.gave_up:
                poll.unregister(self._stop)
                poll.poll(None)
                return

    def _acked(self) -> int:
        """Return how many bytes the other side has acknowledged on the present connection."""
        if self._socket is None:
            return 0
        with contextlib.suppress(OSError, struct.error):
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED.size)
            return int(_BYTES_ACKED.unpack(info)[0])
        return 0

    def _give_up(self, why: str) -> None:
        self.gave_up = why
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # the base class's: that of a TLS socket would take the connection apart under the other thread
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
