"""A network cable of a test's own, on the loopback: while it is unplugged, packets vanish, and nobody is told.

It passes connections on to a server. Unplugged, its sockets drop every packet that reaches them, by a filter in the
kernel (socket(7), SO_ATTACH_FILTER), before TCP sees it: nothing is acknowledged, refused or ended, as where a switch
has lost its power. A filter needs no rights, so this needs neither root nor a network namespace.

Concurrency: a thread that accepts, and two for each connection.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from collections.abc import Iterator

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux, which the module `socket` does not name."""
_DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""A program of classic BPF: return 0 bytes of each packet."""
_FILTER = struct.pack("@HP", 1, ctypes.addressof(_DROP_ALL))
"""struct sock_fprog: how many instructions, and where they are."""


class Cable:
    """Passes what is sent to its port on to a server, and what that answers back."""

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._lock = threading.Lock()
        self._near: list[socket.socket] = []
        """Ends of connections towards whoever asks."""
        self._far: list[socket.socket] = []
        """Towards the server."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="cable", daemon=True)]
        self._threads[0].start()

    def unplug(self) -> None:
        """Let every packet vanish from now on, in both directions."""
        self._filter([self._listening, *self._open(self._near), *self._open(self._far)])

    def lose_answers(self) -> None:
        """Let what the server says vanish; it still gets what is said to it."""
        self._filter(self._open(self._far))

    def plug(self) -> None:
        """Let packets pass again."""
        for one in (self._listening, *self._open(self._near), *self._open(self._far)):
            # one without a filter has none to lose
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, _DETACH, 0)

    def close(self) -> None:
        """End everything."""
        self._listening.shutdown(socket.SHUT_RDWR)
        for one in (*self._open(self._near), *self._open(self._far)):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        self._listening.close()

    def _open(self, sockets: list[socket.socket]) -> list[socket.socket]:
        with self._lock:
            return [one for one in sockets if one.fileno() >= 0]

    @staticmethod
    def _filter(sockets: list[socket.socket]) -> None:
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, _ATTACH, _FILTER)

    def _accept(self) -> None:
        # until it is closed
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._server)
                with self._lock:
                    self._near.append(near)
                    self._far.append(far)
                for source, target in ((near, far), (far, near)):
                    thread = threading.Thread(target=self._pass_on, args=(source, target), name="cable", daemon=True)
                    self._threads.append(thread)
                    thread.start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cable_to(host: str, port: int) -> Iterator[Cable]:
    """A plugged cable to a server; closed at exit."""
    cable = Cable(host, port)
    try:
        yield cable
    finally:
        cable.close()
