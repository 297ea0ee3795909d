"""The edge: an ASGI application that keeps slow clients away from the threads that serve requests.

A request is read as a whole before a thread sees it, and a thread never waits for a client to read an answer. So a
client that sends or reads slowly, or not at all, costs a socket and what it sent, for a limited time. Boxes and people
have threads of their own. The Django application inside is a WSGI one, because its views block on disk and database.

Concurrency: one event loop a process; `Crew` owns the threads. Whatever is a coroutine here runs in the loop.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from django.db import DatabaseError

from appliance.contract.errors import PlainSightError, StorageError, TooLargeError

from .errors import API, expected, is_for_programs

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Environ = dict[str, Any]
Admit = Callable[[Environ], None]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

MAX_BODY: Final = 16 << 20
"""Longest request that is read, in bytes, whatever its address takes."""
MAX_BODIES: Final = 24 << 20
"""Most bytes of requests of one kind that one process holds at once; the rest of its 150 MB is what it is made of.
What people send is read before anybody knows who they are: it takes no room from boxes, whose signature comes first."""
PLACES: Final = 20
"""So many requests of one kind, besides those that have a thread, arrive at once or wait for one with what arrived; the
others stay where they are."""
QUICK_S: Final = 0.5
"""What has not arrived within so long gives its place back, in seconds: a slow line, or nobody who means to send."""
PLACE_S: Final = 20.0
"""A request waits for a place so long, in seconds: less than the 30 s after which a courier gives up."""
BODY_S: Final = 120.0
"""A request must have arrived within so long, in seconds: a batch of 1 MB at 70 kbit/s."""
CHUNK_S: Final = 60.0
"""Each part of an answer (at most some 100 KB) must be taken within so long, in seconds."""
MAX_WAITING: Final = 400
"""Most requests of one kind that wait for a thread."""


class SlowError(PlainSightError):
    """A request did not arrive in time."""

    code = "too-slow"
    status = 408


class BusyError(PlainSightError):
    """The archive has no room for another request at the moment."""

    code = "busy"
    status = 503


class _GoneError(Exception):
    """The client went away."""


@dataclass
class Crew:
    """The threads that serve one kind of client."""

    name: str
    threads: int
    waiting: int = 0
    """Requests that wait for a thread or have one."""
    held: int = 0
    """Bytes of requests that are held."""
    bodies: asyncio.Semaphore = field(init=False)
    """Places for what arrives."""
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        """Make the pool; its threads start when they are needed."""
        self.bodies = asyncio.Semaphore(self.threads + PLACES)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keep a request's place among those that want a thread; raise BusyError while too many do."""
        if self.waiting >= MAX_WAITING:
            raise BusyError("too many requests wait; try again later")
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what `work` returns in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


class _Body:
    """What arrives of one request, and its place among others."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self.size = 0
        """Bytes that arrived."""
        self._places = places
        self._has_place = False
        self._parts: list[bytes] = []

    async def take_place(self) -> None:
        """Wait until there is room; raise BusyError. A place that what is slow has is given back after a moment."""
        try:
            async with asyncio.timeout(PLACE_S):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError("too much arrives at once; try again later") from None
        self._has_place = True

    def give_place_back(self) -> None:
        """Let another one arrive, once."""
        if self._has_place:
            self._has_place = False
            self._places.release()

    def add(self, part: bytes) -> None:
        """Take a part."""
        self._parts.append(part)
        self.size += len(part)

    def whole(self) -> bytes:
        """Return all of it, and keep none: it is there once and not twice."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


class Edge:
    """ASGI 3 around a WSGI application."""

    def __init__(
        self,
        wsgi: Wsgi,
        *,
        threads: int,
        scheme: str,
        proxies: Iterable[str] = (),
        admit: Admit = lambda _: None,
        longest: Callable[[str], int] = lambda _: MAX_BODY,
    ) -> None:
        """Give boxes and people `threads` each; before a body is read, `admit` may refuse the request by its headers.

        What `admit` adds to the environment reaches the application.
        `scheme` is how clients reach the site, whatever the last hop speaks; `proxies` are the addresses whose
        X-Forwarded-For is believed; `longest` returns the most bytes that a body may have at a path.
        """
        self._wsgi = wsgi
        self._scheme = scheme
        self._proxies = frozenset(proxies)
        self._admit = admit
        self._longest = longest
        self._boxes = Crew("boxes", threads)
        self._people = Crew("people", threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        crew = self._boxes if scope["path"].startswith(API) else self._people
        body = _Body(crew.bodies)
        try:
            environ = self._environ(scope)
            if scope["method"] not in {"GET", "HEAD"}:
                with crew.place():
                    await crew.run(self._admit, environ)
                await body.take_place()
            await self._read(crew, scope, receive, body)
            # counted, not announced: a proxy may pass a body on in chunks
            environ |= {"wsgi.input": io.BytesIO(body.whole()), "CONTENT_LENGTH": str(body.size)}
            with crew.place():
                await self._serve(crew, environ, receive, send)
        except PlainSightError as error:
            await _refuse(send, error, scope["path"])
        except DatabaseError as error:
            await _refuse(send, expected(error) or StorageError("the archive's database failed"), scope["path"])
        except _GoneError:
            return
        finally:
            body.give_place_back()
            crew.held -= body.size

    async def _read(self, crew: Crew, scope: Scope, receive: Receive, body: _Body) -> None:
        most = min(self._longest(scope["path"]), MAX_BODY)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced[:20]) > most:
            raise TooLargeError(f"a request here has at most {most} bytes", field="Content-Length")
        slow = asyncio.get_running_loop().call_later(QUICK_S, body.give_place_back)
        try:
            async with asyncio.timeout(BODY_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _GoneError
                    part = message.get("body", b"")
                    if body.size + len(part) > most:
                        raise TooLargeError(f"a request here has at most {most} bytes", field="body")
                    body.add(part)
                    crew.held += len(part)
                    if crew.held > MAX_BODIES:
                        raise BusyError("too many requests arrive at once; try again later")
                    if not message.get("more_body"):
                        return
        except TimeoutError:
            raise SlowError(f"the request did not arrive within {BODY_S:.0f} s; send less at once") from None
        finally:
            slow.cancel()

    def _environ(self, scope: Scope) -> Environ:
        """Return what a request's head says; its body is added when it has arrived."""
        environ: Environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": scope["path"].encode().decode("latin-1"),
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "SERVER_NAME": "archive",
            "SERVER_PORT": "443" if self._scheme == "https" else "80",
            "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._scheme,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for raw, value in scope["headers"]:
            name = raw.decode("latin-1")
            # X_Y would pass for X-Y, which a proxy may have set
            if "_" in name:
                continue
            key = "HTTP_" + name.upper().replace("-", "_")
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]}{';' if key == 'HTTP_COOKIE' else ','}{text}" if key in environ else text
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        environ.pop("HTTP_CONTENT_LENGTH", None)
        environ["REMOTE_ADDR"] = self._client(scope, environ)
        return environ

    def _client(self, scope: Scope, environ: Environ) -> str:
        peer = str((scope.get("client") or ("",))[0])
        claimed = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
        if peer in self._proxies:
            with suppress(ValueError):
                return str(ip_address(claimed))
        return peer

    async def _serve(self, crew: Crew, environ: Environ, receive: Receive, send: Send) -> None:
        answer = await crew.run(self._answer, environ)
        await _give(send, {"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.rest is None:
            await _give(send, {"type": "http.response.body", "body": answer.whole})
            return
        # sending to a client that went away succeeds, and hours of audio would be made for nobody
        gone = asyncio.ensure_future(receive())
        try:
            while not gone.done() and (part := await crew.run(next, answer.rest, None)) is not None:
                await _give(send, {"type": "http.response.body", "body": part, "more_body": True})
            await _give(send, {"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            if answer.close is not None:
                await crew.run(answer.close)

    def _answer(self, environ: Environ) -> _Answer:
        """Run the application in a thread; an answer that is all there is taken and closed in the same go."""
        answer = _Answer()
        body = self._wsgi(environ, answer.start)
        close = getattr(body, "close", None)
        if getattr(body, "streaming", False):
            answer.rest, answer.close = iter(body), close
            return answer
        try:
            answer.whole = b"".join(body)
        finally:
            if close is not None:
                close()
        return answer


@dataclass
class _Answer:
    """What the application answers."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    whole: bytes = b""
    """The body, or nothing where it is streamed."""
    rest: Iterator[bytes] | None = None
    """What is streamed."""
    close: Callable[[], None] | None = None
    """Must be called after the last part."""

    def start(self, status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        """Take status and headers over (PEP 3333's start_response)."""
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _give(send: Send, message: dict[str, Any]) -> None:
    """Send, or give up on a client that does not take it."""
    try:
        async with asyncio.timeout(CHUNK_S):
            await send(message)
    except TimeoutError:
        raise _GoneError from None


async def _refuse(send: Send, error: PlainSightError, path: str) -> None:
    kind, body = b"application/json", json.dumps(error.as_json()).encode()
    if not is_for_programs(path):
        # a person reads it, in a browser
        kind, body = b"text/plain; charset=utf-8", f"The archive did not take this: {error.message}.".encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in getattr(error, "headers", {}).items()]
    # what was not read of the request would pass for the next one
    headers.append((b"connection", b"close"))
    with suppress(_GoneError):
        await _give(send, {"type": "http.response.start", "status": error.status, "headers": headers})
        await _give(send, {"type": "http.response.body", "body": body})
