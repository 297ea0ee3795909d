"""An S3 server of the tests' own, in this process: honest, unless it is told which lies to tell.

It knows as much of S3 as archive/store asks for, and checks no signatures. What a lock can fake is a member of LIES.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

LIES = {
    "deletes": "a locked version goes, and it says yes",
    "refuses and deletes": "a locked version goes, and it says no",
    "overwrites": "what is written over takes the place of the first version",
    "forgets when deleted": "a delete without a version removes all of them",
    "shortens": "a lock ends earlier when asked to",
    "downgrades": "a lock goes, or becomes a weaker one, when asked to",
    "anybody bypasses": "whoever asks for a bypass gets it",
    "ignores the condition": "If-None-Match means nothing",
    "ignores the checksum": "a wrong checksum is taken",
    "locks nothing": "objects are kept without the lock that was asked for",
    "locks for less": "locks end a day early",
    "loses": "it says that it kept an object, and does not have it",
    "changes": "it keeps other bytes than it was given",
    "keeps no versions": "the bucket has no versions",
    "has no locks": "the bucket has no Object Lock",
    "unavailable": "every answer is 503",
    "slow": "no answer comes until the client has given up",
    "cuts uploads": "every connection ends in the middle of what is sent",
    "cuts one upload": "one connection ends in the middle of what is sent",
    "cuts answers": "every body breaks off in the middle",
    "cuts one answer": "one body breaks off in the middle",
    "cuts after writing": "the connection ends once an object is kept, before the answer",
    "holds nothing": "a legal hold is set in words only",
    "holds in words": "what a legal hold keeps goes all the same",
    "bypasses holds": "a bypass of governance removes what a legal hold keeps",
    "anybody lifts": "whoever asks lifts a legal hold",
    "never lifts": "a legal hold stays when it is lifted",
    "renews nothing": "a lock is renewed in words only",
    "speaks HTML": "a portal answers 200 with a page of its own",
}


@dataclass
class Kept:
    """A version, or a mark that hides an object."""

    id: str
    data: bytes
    mode: str = ""
    until: str = ""
    mark: bool = False
    held: bool = False


@dataclass
class Liar:
    """What it has, and the lies that it tells."""

    lies: set[str] = field(default_factory=set)
    objects: dict[str, list[Kept]] = field(default_factory=dict)
    """Oldest first."""
    asked: list[str] = field(default_factory=list)
    endpoint: str = ""
    awake: threading.Event = field(default_factory=threading.Event)
    """Ends the wait of a slow answer."""
    bypassing: str = "destruction-key"
    holding: str = "archive-key"
    """Whose keys may set and lift legal holds."""
    number: Iterator[int] = field(default_factory=lambda: count(1))

    def tells(self, lie: str) -> bool:
        """Whether it tells this lie now."""
        assert lie in LIES
        return lie in self.lies

    def first(self, key: str) -> bytes | None:
        """The bytes of the oldest version."""
        found = [one for one in self.objects.get(key, []) if not one.mark]
        return found[0].data if found else None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    # head and body are written one after the other: the body would wait 40 ms for the head's acknowledgment
    disable_nagle_algorithm = True
    liar: Liar

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _begin(self) -> tuple[str, dict[str, list[str]], bytes] | None:
        liar = self.liar
        parts = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        liar.asked.append(f"{self.command} {self.path}")
        if size and (liar.tells("cuts uploads") or liar.tells("cuts one upload")):
            liar.lies.discard("cuts one upload")
            self.rfile.read(size // 2)
            self.close_connection = True
            return None
        body = self.rfile.read(size)
        if liar.tells("slow"):
            liar.awake.wait(60)
            self.close_connection = True
            return None
        if liar.tells("unavailable"):
            self._error(503, "SlowDown")
            return None
        if liar.tells("speaks HTML"):
            self._send(200, b"<html>Sign in to the guest network</html>", {"Content-Type": "text/html"})
            return None
        return (
            unquote(parts.path).split("/", 2)[2] if parts.path.count("/") > 1 else "",
            parse_qs(parts.query, keep_blank_values=True),
            body,
        )

    def _send(
        self, status: int, data: bytes = b"", headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut

    def _error(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _find(self, key: str, query: dict[str, list[str]]) -> Kept | None:
        versions = self.liar.objects.get(key, [])
        if "versionId" in query:
            return next((one for one in versions if one.id == query["versionId"][0]), None)
        return versions[-1] if versions and not versions[-1].mark else None

    def _may_bypass(self) -> bool:
        asked = self.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
        return asked and (self.liar.bypassing in self.headers["Authorization"] or self.liar.tells("anybody bypasses"))

    def _is_free(self, kept: Kept) -> bool:
        if kept.held and not self.liar.tells("holds in words"):
            return self.liar.tells("bypasses holds") and self._may_bypass()
        over = not kept.until or datetime.fromisoformat(kept.until) < datetime.now(UTC)
        return over or (kept.mode == "GOVERNANCE" and self._may_bypass())

    def do_PUT(self) -> None:
        """An object, or another lock for one."""
        if (begun := self._begin()) is None:
            return
        key, query, body = begun
        liar = self.liar
        if "retention" in query:
            self._lock_anew(key, query, body)
            return
        if "legal-hold" in query:
            self._hold(key, query, on=b"<Status>ON</Status>" in body)
            return
        given = self.headers.get("x-amz-checksum-sha256", "")
        if given != base64.b64encode(hashlib.sha256(body).digest()).decode() and not liar.tells("ignores the checksum"):
            self._error(400, "BadDigest")
            return
        there = liar.objects.setdefault(key, [])
        if (
            self.headers.get("If-None-Match") == "*"
            and there
            and not there[-1].mark
            and not liar.tells("ignores the condition")
        ):
            self._error(412, "PreconditionFailed")
            return
        until = self.headers.get("x-amz-object-lock-retain-until-date", "")
        if until and liar.tells("locks for less"):
            until = datetime.fromtimestamp(datetime.fromisoformat(until).timestamp() - 86400, UTC).isoformat()
        kept = Kept(f"v{next(liar.number)}", body, self.headers.get("x-amz-object-lock-mode", ""), until)
        if liar.tells("locks nothing"):
            kept.mode = kept.until = ""
        if liar.tells("changes"):
            kept.data = bytes(len(body))
        if liar.tells("overwrites") and there:
            there[0].data = body
        elif not liar.tells("loses"):
            there.append(kept)
        if liar.tells("cuts after writing"):
            liar.lies.discard("cuts after writing")
            self.close_connection = True
            return
        self._send(200, headers={"x-amz-version-id": kept.id, "ETag": '"e"'})

    def _hold(self, key: str, query: dict[str, list[str]], *, on: bool) -> None:
        liar, kept = self.liar, self._find(key, query)
        if kept is None:
            self._error(404, "NoSuchVersion")
        elif liar.holding not in self.headers["Authorization"] and not liar.tells("anybody lifts"):
            self._error(403, "AccessDenied")
        else:
            if not liar.tells("holds nothing" if on else "never lifts"):
                kept.held = on
            self._send(200)

    def _lock_anew(self, key: str, query: dict[str, list[str]], body: bytes) -> None:
        kept = self._find(key, query)
        if kept is None:
            self._error(404, "NoSuchVersion")
            return
        values = {name: re.search(f"<{name}>(.*?)</{name}>", body.decode()) for name in ("Mode", "RetainUntilDate")}
        mode, until = ((found[1] if found else "") for found in values.values())
        earlier = until < kept.until
        weaker = not mode or (kept.mode, mode) == ("COMPLIANCE", "GOVERNANCE")
        allowed = self._is_free(kept) or (
            (not earlier or self.liar.tells("shortens")) and (not weaker or self.liar.tells("downgrades"))
        )
        if self.liar.tells("downgrades") and weaker:
            allowed = True
        if not allowed:
            self._error(403, "AccessDenied")
            return
        if not self.liar.tells("renews nothing"):
            kept.mode, kept.until = mode, until
        self._send(200)

    def do_GET(self) -> None:
        """An object or a part of one, what a bucket is, or the list of its versions."""
        if (begun := self._begin()) is None:
            return
        key, query, _ = begun
        liar = self.liar
        if "versioning" in query:
            status = "" if liar.tells("keeps no versions") else "<Status>Enabled</Status>"
            self._send(200, f"<VersioningConfiguration>{status}</VersioningConfiguration>".encode())
        elif "object-lock" in query:
            if liar.tells("has no locks"):
                self._error(404, "ObjectLockConfigurationNotFoundError")
            else:
                text = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
                self._send(200, f"<ObjectLockConfiguration>{text}</ObjectLockConfiguration>".encode())
        elif "versions" in query:
            self._list(query.get("prefix", [""])[0])
        else:
            self._object(key, query)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def _list(self, prefix: str) -> None:
        lines = []
        for key, versions in sorted(self.liar.objects.items()):
            for one in reversed(versions if key.startswith(prefix) else []):
                kind = "DeleteMarker" if one.mark else "Version"
                size = "" if one.mark else f"<Size>{len(one.data)}</Size>"
                lines.append(f"<{kind}><Key>{escape(key)}</Key><VersionId>{one.id}</VersionId>{size}</{kind}>")
        bucket = urlsplit(self.path).path.strip("/")
        self._send(200, f"<ListVersionsResult><Name>{bucket}</Name>{''.join(lines)}</ListVersionsResult>".encode())

    def _object(self, key: str, query: dict[str, list[str]]) -> None:
        kept = self._find(key, query)
        if kept is None:
            self._error(404, "NoSuchKey")
            return
        headers = {"x-amz-version-id": kept.id, "ETag": '"e"'}
        if kept.mode:
            headers |= {"x-amz-object-lock-mode": kept.mode, "x-amz-object-lock-retain-until-date": kept.until}
        if kept.held:
            headers["x-amz-object-lock-legal-hold"] = "ON"
        if self.command == "HEAD":
            self._send(200, headers=headers | {"Content-Length": str(len(kept.data))})
            return
        cut = self.liar.tells("cuts answers") or self.liar.tells("cuts one answer")
        self.liar.lies.discard("cuts one answer")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted is None:
            self._send(200, kept.data, headers, cut=cut)
            return
        data = kept.data[int(wanted[1]) : int(wanted[2]) + 1]
        headers["Content-Range"] = f"bytes {wanted[1]}-{int(wanted[1]) + len(data) - 1}/{len(kept.data)}"
        self._send(206, data, headers, cut=cut)

    def do_DELETE(self) -> None:
        """A version, or a mark over all of them."""
        if (begun := self._begin()) is None:
            return
        key, query, _ = begun
        liar, there = self.liar, self.liar.objects.get(key, [])
        if "versionId" not in query:
            if liar.tells("forgets when deleted"):
                there.clear()
            else:
                there.append(Kept(f"v{next(liar.number)}", b"", mark=True))
            self._send(204)
            return
        kept = self._find(key, query)
        if kept is None:
            self._send(204)
            return
        free = self._is_free(kept)
        if free or liar.tells("deletes") or liar.tells("refuses and deletes"):
            there.remove(kept)
        if free or liar.tells("deletes"):
            self._send(204)
        else:
            self._error(403, "AccessDenied")


@contextmanager
def lying_s3() -> Iterator[Liar]:
    """Run one; it is honest until something is put into `lies`."""
    liar = Liar()
    handler = type("LyingHandler", (Handler,), {"liar": liar})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    liar.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="lying-s3")
    thread.start()
    try:
        yield liar
    finally:
        liar.awake.set()
        server.shutdown()
        server.server_close()
        thread.join()
