"""A request ends: whatever the other side sends now and then, however slowly it takes, and when the courier stops."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.contract.stop_signal import StopSignal
from appliance.courier.settings import CourierSettings
from appliance.courier.upload.archive_client import ArchiveClient, DownError
from tests.support.box.courier import Box
from tests.support.lateness import Lateness

ANSWER_S = 1.0
DRIPS_S = 60
"""An answer that nobody gives up would drip for so long."""
DRIPS: dict[str, Callable[[int], bytes]] = {
    "nothing": lambda _: b"",
    "headers": lambda turn: b"HTTP/1.1 200 OK\r\nX" if turn == 0 else b"-",
    "continue": lambda _: b"HTTP/1.1 100 Continue\r\n\r\n",
    "body": lambda turn: b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" if turn == 0 else b" ",
    "body without a length": lambda turn: b"HTTP/1.1 200 OK\r\n\r\n" if turn == 0 else b" ",
}


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that hands each connection to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        # as on a line, not in one packet of 64 KB
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=handle, args=[connection], daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def client(box: Box, url: str, **options: Any) -> ArchiveClient:
    members = box.members(url)
    members["times"] = {**members["times"], "answer_s": ANSWER_S}
    return ArchiveClient(CourierSettings.model_validate(members), **options)


@pytest.mark.parametrize("name", DRIPS)
def test_an_answer_that_drips_is_given_up_after_answer_s_in_all(name: str, box: Box) -> None:
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        for turn in range(DRIPS_S * 5):
            if over.wait(0.2):
                return
            connection.sendall(DRIPS[name](turn))

    with serving(serve) as url:
        began = time.monotonic()
        with pytest.raises(DownError, match="timed out"):
            client(box, url).probe()
        took = time.monotonic() - began
        over.set()
    assert ANSWER_S <= took < DRIPS_S / 2


def test_a_body_that_is_taken_slowly_but_steadily_is_sent_to_its_end(box: Box) -> None:
    """256 kbit/s takes 16 s for ten segments; one fixed time would never let them through."""
    body = bytes(400_000)
    taken = [0]

    def serve(connection: socket.socket) -> None:
        while taken[0] < len(body):
            taken[0] += len(connection.recv(20_000))
            time.sleep(0.15)
        answer = b'{"recording": "%s", "state": "receiving", "next_line": 1, "frames": 1}' % (b"0" * 32)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    moved: list[float] = []
    with serving(serve) as url:
        began = time.monotonic()
        client(box, url, progressed=lambda: moved.append(time.monotonic())).post_lines("0" * 32, body)
        took = time.monotonic() - began
    assert took > 2 * ANSWER_S
    assert len(moved) > 3


def test_a_body_that_is_not_taken_is_given_up_after_answer_s(box: Box) -> None:
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        over.wait(DRIPS_S)

    with serving(serve) as url:
        began = time.monotonic()
        with pytest.raises(DownError, match="timed out"):
            client(box, url).post_lines("0" * 32, bytes(20 << 20))
        took = time.monotonic() - began
        over.set()
    assert took < DRIPS_S / 2


def test_a_stop_ends_a_request_at_once_and_it_is_not_tried_again(box: Box, machine: Lateness) -> None:
    stop = StopSignal()
    asked = [0]
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        asked[0] += 1
        stop.set()
        over.wait(DRIPS_S)

    with serving(serve) as url:
        members = box.members(url)
        members["times"] = {**members["times"], "answer_s": 60.0}
        began_ns = time.monotonic_ns()
        with pytest.raises(DownError, match="to stop"):
            ArchiveClient(CourierSettings.model_validate(members), stop).probe()
        assert machine.taken_ns(began_ns, time.monotonic_ns()) < 5_000_000_000
        over.set()
    assert asked == [1]


def test_no_thread_is_left_behind(box: Box) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)

    with serving(serve) as url, pytest.raises(DownError):
        client(box, url).probe()
    assert not [thread for thread in threading.enumerate() if thread.name == "request-guard"]
