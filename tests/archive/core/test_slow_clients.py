"""The real server with 64 connections that are idle or slow: pages and boxes are answered within 2 s all the same."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from tests.support.archives import Archive, Served
from tests.support.lateness import Lateness

SLOW = 64
LIMIT_S = 2.0
HOST = b"Host: 127.0.0.1\r\n"
KINDS = {
    "nothing": b"",
    "half a request line": b"GET /sign-",
    "headers without end": b"GET /sign-in/ HTTP/1.1\r\n" + HOST + b"X-Padding: ",
    "one byte of a body": b"PUT /api/1/recordings/" + b"0" * 32 + b"/header HTTP/1.1\r\n" + HOST
    + b"Content-Length: 50000\r\n\r\nx",
    "an answer that nobody reads": (b"GET /static/ui/style.css HTTP/1.1\r\n" + HOST + b"\r\n") * 200,
}  # fmt: skip


@pytest.fixture
def served(archive: Archive) -> Iterator[Served]:
    with archive.serving(workers=1) as address:
        yield address


@contextmanager
def slow_clients(address: Served, sends: bytes) -> Iterator[None]:
    port = int(address.rpartition(":")[2])
    with ExitStack() as stack:
        for _ in range(SLOW):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.setblocking(False)
            one.send(sends[:65536])
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_64_slow_connections_keep_nobody_waiting(served: Served, kind: str, machine: Lateness) -> None:
    with slow_clients(served, KINDS[kind]):
        for _ in range(3):
            began_ns = time.monotonic_ns()
            assert requests.get(f"{served}/sign-in/", timeout=60).status_code == 200
            assert requests.get(f"{served}/api/1/recordings/{'0' * 32}", timeout=60).status_code in {401, 404}
            assert machine.taken_ns(began_ns, time.monotonic_ns()) < LIMIT_S * 1e9
