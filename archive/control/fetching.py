"""Asking many archives at once, each within a time and a size: whatever one of them answers costs the others nothing.

Concurrency: one event loop, one task an archive, at most `AT_ONCE` of them at work; all have ended when `ask_all`
returns. A name that nobody resolves is waited for by a thread of the loop's own, as long as the system's resolver does.
"""

from __future__ import annotations

import asyncio
import io
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from appliance.contract.errors import SettingsError
from archive.configuration.fields import read_secret

from .districts import District
from .summary import MOST_BYTES, PATH, VERSION, Summary

AT_ONCE: Final = 64
"""Most archives that are being asked at a time."""
ALL_S: Final = 240.0
"""How long all may take together, in seconds: the page is made anew each five minutes, and tells that they are slow."""
_TOKEN: Final = re.compile(r"[!-~]{32,500}")
"""What can stand in a header, and is no word that somebody guesses."""

Problem = Literal[
    "not-asked", "unreachable", "untrusted", "slow", "refused", "off", "failing", "unexpected", "other-version"
]
"""Why there is no summary; archive.control.judging has the words."""


@dataclass(frozen=True)
class Answer:
    """What came of asking one archive."""

    summary: Summary | None = None
    """What it told; None with a problem."""
    problem: Problem | None = None
    detail: str = ""
    """What this host's system said about the problem, for its log: nothing that the archive sent."""


class _Version(BaseModel):
    """What every version of the form has."""

    version: int = Field(strict=True)


class _Said:
    """Bytes that were read, in the shape that http.client reads a connection in."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def makefile(self, *_mode: str) -> io.BytesIO:
        return io.BytesIO(self._said)


def ask_all(districts: Iterable[District], answer_s: float, all_s: float = ALL_S) -> list[Answer]:
    """Ask each, and return the answers in the same order; whoever did not answer within `all_s` is slow."""
    return asyncio.run(_ask_all(list(districts), answer_s, all_s))


async def _ask_all(districts: list[District], answer_s: float, all_s: float) -> list[Answer]:
    places = asyncio.Semaphore(AT_ONCE)
    time_of = asyncio.get_running_loop().time
    end = time_of() + all_s

    async def one(district: District) -> Answer:
        async with places:
            left_s = end - time_of()
            if left_s <= 0:
                return Answer(problem="slow", detail="there was no time left to ask it: too many others are slow")
            return await _ask(district, min(answer_s, left_s))

    return list(await asyncio.gather(*map(one, districts)))


async def _ask(district: District, answer_s: float) -> Answer:
    try:
        request = _request(district)
        trust = _trust(district)
    except SettingsError as error:
        return Answer(problem="not-asked", detail=error.message)
    try:
        async with asyncio.timeout(answer_s):
            said = await _exchange(district.url, trust, request)
    except TimeoutError:
        return Answer(problem="slow")
    except ssl.SSLError as error:
        return Answer(problem="untrusted", detail=str(error))
    except (OSError, UnicodeError) as error:
        return Answer(problem="unreachable", detail=str(error))
    return Answer(problem="unexpected") if said is None else read_answer(said)


def _request(district: District) -> bytes:
    token = read_secret(district.token_file, "token_file")
    if not _TOKEN.fullmatch(token):
        raise SettingsError(f"{district.token_file} holds no token of 32 characters or more; ask the district for it")
    lines = (
        f"GET {PATH} HTTP/1.1", f"Host: {urlsplit(district.url).netloc}", f"Authorization: Bearer {token}",
        "Accept: application/json", "Connection: close", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("ascii", "replace")


def _trust(district: District) -> ssl.SSLContext | None:
    if not district.url.startswith("https://"):
        return None
    try:
        return ssl.create_default_context(cafile=None if district.ca is None else str(district.ca))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot use {district.ca}: {error}; it must hold certificates (PEM)") from error


async def _exchange(url: str, trust: ssl.SSLContext | None, request: bytes) -> bytes | None:
    """Send a request and return all that comes until the connection ends; None if that is more than is read."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port or (443 if trust else 80), ssl=trust)
    try:
        writer.write(request)
        await writer.drain()
        said = b""
        while part := await reader.read(MOST_BYTES):
            said += part
            if len(said) > MOST_BYTES:
                return None
        return said
    finally:
        # it must not be waited for: who is slow to answer is slow to say goodbye
        writer.transport.abort()


def read_answer(said: bytes) -> Answer:
    """Return what a whole HTTP answer says; whatever bytes it has, none of them but a summary's are passed on. Pure."""
    connection: Any = _Said(said)
    response = HTTPResponse(connection)
    try:
        response.begin()
        body = response.read()
    except (HTTPException, ValueError, OverflowError):
        return Answer(problem="unexpected")
    if response.status != 200:
        return Answer(problem=_of_status(response.status))
    try:
        return Answer(Summary.model_validate_json(body))
    except ValidationError:
        return Answer(problem=_of_body(body))


def _of_status(status: int) -> Problem:
    if status in {401, 403}:
        return "refused"
    if status == 404:
        return "off"
    return "failing" if status >= 500 else "unexpected"


def _of_body(body: bytes) -> Problem:
    try:
        told = _Version.model_validate_json(body)
    except ValidationError:
        return "unexpected"
    return "unexpected" if told.version == VERSION else "other-version"
