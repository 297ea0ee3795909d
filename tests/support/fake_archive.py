"""An archive in memory: keeps docs/format.md section 3 honestly, remembers every request, fails when told to."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from appliance.contract.ledger import Closing, Entry, Segment
from appliance.contract.signed import digest

from .certificates import Files
from .spools import Recording

PATH = re.compile(r"^/api/1/recordings/([0-9a-f]{32})(?:/(header|key|lines|receipt|tail/(\d+)))?$")


@dataclass
class Request:
    """One request as it came in, and the status that it got."""

    method: str
    recording: str
    what: str
    body: bytes
    status: int = 0
    at: float = field(default_factory=time.monotonic)


@dataclass
class Answer:
    """What a scripted failure answers; `hang_s` waits first, `cut` closes the connection without a word."""

    status: int = 500
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    cut: bool = False


def refusal(code: str, status: int, message: str = "no") -> Answer:
    return Answer(status, json.dumps({"error": {"code": code, "message": message, "field": None}}).encode())


PORTAL = Answer(
    200, b"<html><body>Welcome to Example WiFi. Please sign in.</body></html>", {"Content-Type": "text/html"}
)


@dataclass
class Kept:
    """What the archive has of one recording."""

    header: bytes
    key: bytes | None = None
    lines: list[bytes] = field(default_factory=list)
    segments: dict[int, bytes] = field(default_factory=dict)
    frames: int = 0
    closing: Closing | None = None
    tail: dict[int, bytes] = field(default_factory=dict)
    asked_for_state: int = 0

    @property
    def tail_missing(self) -> list[int]:
        wanted = [segment.segment for segment in self.closing.unverified_tail] if self.closing else []
        return [number for number in wanted if number not in self.tail]


class FakeArchive:
    """Serves on a free port of 127.0.0.1. `rule` may answer in its place, or return None to let it be."""

    def __init__(self, *, seal_after_asked: int = 0, tls: Files | None = None) -> None:
        self._tls = tls
        self.kept: dict[str, Kept] = {}
        self.recordings: dict[str, Recording] = {}
        self.history: list[Request] = []
        self.rule: Callable[[Request], Answer | None] = lambda _: None
        self.seal_after_asked = seal_after_asked
        self.verdicts: dict[str, str] = {}
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        archive = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # or a body would wait 40 ms for the acknowledgment of its head
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                answer = archive.answer(self.command, self.path, body)
                time.sleep(answer.hang_s)
                if answer.cut:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                """History is kept instead."""

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that hung up is none of our business."""

            def process_request(self, request: Any, client_address: Any) -> None:
                archive._connections.append(request)
                super().process_request(request, client_address)

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            # kept connections too, as when a process ends
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._connections.clear()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        match = PATH.match(path)
        if match is None:
            return Answer(404, b"<h1>Not Found</h1>")
        request = Request(method, match[1], match[2] or "state", body)
        with self._lock:
            answer = self.rule(request) or self._honest(request)
            request.status = answer.status
            self.history.append(request)
        return answer

    def requests(self, what: str, *, status: int | None = None) -> list[Request]:
        with self._lock:
            return [r for r in self.history if r.what == what and status in {None, r.status}]

    def _honest(self, request: Request) -> Answer:  # noqa: PLR0911 - one per address
        kept = self.kept.get(request.recording)
        if request.what == "header":
            return self._once(kept.header if kept else None, request, self._new)
        if kept is None:
            return refusal("unknown-recording", 404)
        if request.what == "key":
            return self._once(kept.key, request, lambda: setattr(kept, "key", request.body))
        if request.what == "lines":
            return self._take(kept, request)
        if request.what.startswith("tail/"):
            number = int(request.what.partition("/")[2])
            return self._once(kept.tail.get(number), request, lambda: kept.tail.update({number: request.body}))
        if request.what == "receipt":
            if self._state(request.recording) != "sealed":
                return refusal("not-sealed", 404)
            return Answer(200, self.recordings[request.recording].receipt(sealed_at="2026-01-05T10:00:00.000Z"))
        kept.asked_for_state += 1
        return self._state_answer(request.recording)

    def _new(self, request: Request) -> None:
        self.kept[request.recording] = Kept(request.body)

    def _once(self, held: bytes | None, request: Request, keep: Callable[..., Any]) -> Answer:
        if held is None:
            keep(request) if keep == self._new else keep()
            return Answer(201)
        return Answer(200) if held == request.body else refusal("conflict", 409)

    def _take(self, kept: Kept, request: Request) -> Answer:
        if kept.key is None:
            return refusal("bad-order", 409)
        rest, count = request.body, len(kept.lines)
        previous = kept.lines[-1] if kept.lines else kept.header
        lines: list[bytes] = []
        segments: dict[int, bytes] = {}
        while rest:
            line, _, rest = rest.partition(b"\n")
            line += b"\n"
            entry = Entry.read(line, None)
            fact = entry.fact
            if entry.n != count + len(lines) or entry.prev != digest(previous):
                return refusal("bad-order", 409)
            if isinstance(fact, Segment):
                segments[fact.segment], rest = rest[: fact.size], rest[fact.size :]
                if digest(segments[fact.segment]) != fact.sha256:
                    return refusal("bad-digest", 400)
                kept.frames += fact.frames
            if isinstance(fact, Closing):
                kept.closing = fact
            lines.append(line)
            previous = line
        if len(segments) > 10 or not lines:
            return refusal("bad-format", 400)
        kept.lines += lines
        kept.segments.update(segments)
        return self._state_answer(request.recording)

    def _state(self, recording: str) -> str:
        kept = self.kept[recording]
        if recording in self.verdicts:
            return self.verdicts[recording]
        if kept.closing is None or kept.tail_missing:
            return "receiving"
        return "sealed" if kept.asked_for_state > self.seal_after_asked else "closed"

    def _state_answer(self, recording: str) -> Answer:
        kept = self.kept[recording]
        body = {
            "recording": recording,
            "state": self._state(recording),
            "next_line": len(kept.lines),
            "frames": kept.frames,
            "tail_missing": kept.tail_missing,
        }
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def running_archive(**options: Any) -> Iterator[FakeArchive]:
    """A fake archive; stopped at exit."""
    archive = FakeArchive(**options)
    archive.start()
    try:
        yield archive
    finally:
        archive.stop()


def lines_sent(archive: FakeArchive, recording: Recording) -> list[bytes]:
    """Every ledger line in a request that the archive took, in order, repetitions included."""
    taken = b"".join(
        request.body for request in archive.requests("lines", status=200) if request.recording == recording.id
    )
    return [line for line in recording.lines for _ in range(taken.count(line))]


def assert_arrived(archive: FakeArchive, recording: Recording) -> None:
    kept = archive.kept[recording.id]
    assert kept.header == recording.header_line
    assert kept.key == recording.key
    assert kept.lines == recording.lines
    assert [kept.segments[number] for number in range(len(recording.segments))] == recording.segments
