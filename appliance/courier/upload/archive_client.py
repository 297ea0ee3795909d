"""Talking to the archive (docs/format.md section 3): every answer is checked before it counts as one.

Nothing here retries, but for one case: a kept connection that the archive closed in between is opened once more.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import requests
from pydantic import ValidationError
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from appliance.contract.errors import FormatError, PlainSightError, SettingsError
from appliance.contract.keys import SigningKey
from appliance.contract.problems import explain
from appliance.contract.receipt import Receipt
from appliance.contract.request_signature import NONCE, UnsignedError, sign
from appliance.contract.status import UploadState
from appliance.contract.stop_signal import StopSignal
from appliance.courier.pinned_tls import pinned_context
from appliance.courier.settings import CourierSettings

from .request_guard import RequestGuard

MAX_ANSWER_BYTES = 1 << 20
"""An answer longer than this is not the archive's."""
_CODE_LENGTH = 60
TOO_MANY = 429
"""Status: too many requests (RFC 6585 section 4)."""
MAX_WAIT_S = 3600
"""Longest Retry-After that is obeyed, in seconds: nobody may silence a box for days."""
MAX_NONCE = 120
"""Longest nonce, in characters."""
PATH = "/api/1/recordings"
"""Where recordings are at the archive, and what is signed: a proxy may put a path of its own before it."""
NOBODY = "0" * 32
"""A recording that no box has, asked for to see whether the archive is there."""


class DownError(PlainSightError):
    """The archive cannot be reached, cannot work at the moment, or answers nonsense."""

    code = "archive-down"

    def __init__(self, message: str, *, whole: bool, wait_s: float = 0.0) -> None:
        """`whole`: nothing can be expected for other recordings either; it asked to be left alone for `wait_s`."""
        super().__init__(message)
        self.whole = whole
        self.wait_s = wait_s


class SlowDownError(PlainSightError):
    """The archive, or a proxy before it, serves this box no more requests for a while."""

    code = "slow-down"

    def __init__(self, message: str, wait_s: float) -> None:
        """Say that it asked to be left alone for `wait_s` seconds."""
        super().__init__(message)
        self.wait_s = wait_s


class RefusedError(PlainSightError):
    """The archive understood the request and refused it."""

    code = "archive-refuses"

    def __init__(self, answer_code: str, message: str, wait_s: float = 0.0) -> None:
        """`answer_code` is the archive's stable code; it is of no use to ask again within `wait_s` seconds."""
        super().__init__(message)
        self.answer_code = answer_code
        self.wait_s = wait_s


class _GuardedAdapter(HTTPAdapter):
    """requests' own connections, each watched by the guard."""

    def __init__(self, guard: RequestGuard, context: ssl.SSLContext | None) -> None:
        self._guard = guard
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools, with connections that the guard watches."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": self._guard.watch_class(connection)})
            for scheme, pool, connection in (
                ("http", HTTPConnectionPool, HTTPConnection),
                ("https", HTTPSConnectionPool, HTTPSConnection),
            )
        }


class ArchiveClient:
    """The requests of one box. It belongs to the uploading thread."""

    def __init__(
        self,
        settings: CourierSettings,
        stop: StopSignal | None = None,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        """Talk to the archive that `settings` name; raise SettingsError if its certificate authority is unusable.

        A request ends at `stop`. `progressed` is called, in another thread, while bytes of a long one get through.
        """
        self._box = settings.box.id
        self._key = SigningKey.load(settings.archive.key)
        self._nonce = ""
        self._wait_s = 0.0
        """What the last answer's Retry-After asked for, in seconds."""
        self._base = settings.archive.url + PATH
        self._connect_s = settings.times.connect_s
        self._guard = RequestGuard(stop or StopSignal(), settings.times.answer_s, progressed)
        self._session = requests.Session()
        pinned = _pinned(settings.archive.ca) if settings.archive.ca else None
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _GuardedAdapter(self._guard, pinned))
        # proxies, passwords and authorities come from the settings alone, never from the environment
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "plainsight-courier"
        if settings.archive.ca is not None:
            self._session.verify = str(settings.archive.ca)

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()

    def probe(self) -> None:
        """Ask whether the archive is there; raise DownError if not."""
        try:
            self.state(NOBODY)
        except RefusedError as error:
            if error.answer_code != "unknown-recording":
                raise

    def state(self, recording: str) -> UploadState:
        """Return how far a recording got."""
        return self._state(recording, self._send("GET", recording, ""))

    def put_header(self, recording: str, line: bytes) -> None:
        """Hand in the header."""
        self._send("PUT", recording, "/header", line)

    def put_key(self, recording: str, key: bytes) -> None:
        """Hand in the encrypted key."""
        self._send("PUT", recording, "/key", key)

    def post_lines(self, recording: str, body: bytes) -> UploadState:
        """Hand in a batch."""
        return self._state(recording, self._send("POST", recording, "/lines", body))

    def put_tail(self, recording: str, number: int, segment: bytes) -> None:
        """Hand in an unverified segment."""
        self._send("PUT", recording, f"/tail/{number}", segment)

    def receipt(self, recording: str) -> bytes | None:
        """Return the receipt's line, or None if the recording is not sealed yet.

        It is checked to be a receipt for this recording that fits its own signature. Whether the key is the right
        one is judged by the writer, which alone knows the pinned key.
        """
        try:
            line = self._send("GET", recording, "/receipt")
        except RefusedError as error:
            if error.answer_code == "not-sealed":
                return None
            raise
        try:
            receipt = Receipt.read(line, None)
            Receipt.read(line, receipt.archive_key)
        except FormatError as error:
            raise self._not_the_archive(f"the receipt is not valid: {error.message}") from error
        if receipt.recording != recording or receipt.box != self._box:
            raise self._not_the_archive("the receipt is for another recording or box")
        return line

    def _state(self, recording: str, body: bytes) -> UploadState:
        try:
            state = UploadState.model_validate_json(body)
        except ValidationError as error:
            raise self._not_the_archive(f"the state of the recording is not valid ({explain(error)})") from error
        if state.recording != recording:
            raise self._not_the_archive("the state is of another recording")
        return state

    def _send(
        self, method: Literal["GET", "PUT", "POST"], recording: str, what: str, body: bytes | None = None
    ) -> bytes:
        where = f"/{recording}{what}"
        try:
            try:
                status, answer = self._exchange(method, where, body)
            except requests.ConnectionError as error:
                if self._guard.gave_up or not _hung_up(error):
                    raise
                status, answer = self._exchange(method, where, body)
            if status == UnsignedError.status and _refusal(answer)[0] == "stale-nonce":
                # this answer brought the nonce that the archive takes now
                status, answer = self._exchange(method, where, body)
        except OSError as error:
            # RequestException is an OSError; so is what requests raises for an unreadable authority file
            reason = self._guard.gave_up or _innermost(error)
            raise DownError(f"the archive cannot be reached: {reason}", whole=True) from error
        if status in {200, 201}:
            return answer
        if 300 <= status < 400:
            raise self._not_the_archive(f"it redirects elsewhere (status {status})")
        code, message = _refusal(answer)
        if status == TOO_MANY and code != "quota":
            raise SlowDownError(f"the archive asks this box to slow down: {message or 'status 429'}", self._wait_s)
        if code is None:
            if status == 413:
                raise RefusedError("too-large", "a proxy takes only smaller requests; raise its limit to 2 MB")
            if status >= 500:
                raise DownError(
                    f"the archive is at fault (status {status})", whole=status in {502, 503, 504}, wait_s=self._wait_s
                )
            raise self._not_the_archive(f"status {status} without a code of ours")
        if status >= 500:
            raise DownError(f"the archive cannot work: {code}: {message}", whole=False, wait_s=self._wait_s)
        raise RefusedError(code, message, self._wait_s)

    def _exchange(self, method: str, where: str, body: bytes | None) -> tuple[int, bytes]:
        headers = sign(self._key, self._box, self._nonce, method, PATH + where, body=body or b"")
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        with (
            self._guard.watching(len(body or b"")),
            self._session.request(
                method,
                self._base + where,
                data=body,
                headers=headers,
                timeout=(self._connect_s, None),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            answer = b""
            for piece in response.iter_content(64 << 10):
                answer += piece
                if len(answer) > MAX_ANSWER_BYTES:
                    raise self._not_the_archive("the answer is too long")
            if self._guard.gave_up:
                # an answer without a stated length seems whole when its connection ends
                raise TimeoutError(self._guard.gave_up)
            self._nonce = response.headers.get(NONCE, self._nonce)[:MAX_NONCE]
            self._wait_s = _wait_s(response.headers.get("Retry-After", ""))
            return response.status_code, answer

    def _not_the_archive(self, what: str) -> DownError:
        return DownError(
            f"the server at {self._base} does not answer as the archive does: {what}; "
            "check archive.url, and whether the network asks for a sign-in",
            whole=True,
        )


def _wait_s(retry_after: str) -> float:
    """Return what a Retry-After asks for, in seconds; 0 where it names a date, since a box's clock may be wrong."""
    return float(min(int(retry_after), MAX_WAIT_S)) if re.fullmatch(r"[0-9]{1,9}", retry_after) else 0.0


def _refusal(answer: bytes) -> tuple[str | None, str]:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None, ""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return None, ""
    code = error.get("code")
    if not isinstance(code, str) or not code.replace("-", "").isalnum() or len(code) > _CODE_LENGTH:
        return None, ""
    return code, str(error.get("message", ""))[:300]


def _hung_up(error: BaseException) -> bool:
    """Tell whether the other side closed a connection: then nothing of the answer had come."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (ConnectionResetError, BrokenPipeError)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _innermost(error: BaseException) -> str:
    """Return the reason under requests' and urllib3's wrappings."""
    seen = error
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
    return f"{type(seen).__name__}: {seen}"[:300]


def _pinned(path: Path) -> ssl.SSLContext:
    try:
        return pinned_context(path)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cannot use the certificate authority {path}: {error}", field="archive.ca") from error
