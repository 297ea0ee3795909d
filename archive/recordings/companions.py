"""Documents that go along with every copy of a recording, and the ZIP file that carries both.

Who knows such documents (a parent's statement, 34 CFR 99.21(c)) stands above this app and registers itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.contract.zip_stream import ZipStream
from archive.ui import words

from .models import Recording
from .parts import Parts


@dataclass(frozen=True)
class Companion:
    """One document."""

    name: str
    """File name."""
    text: str | bytes
    """What it says; bytes of what is no text."""
    relates: Parts | None = None
    """What of the recording it relates to, and without which it does not go along; None: all of it."""


Provider = Callable[[Recording, Parts | None], Iterable[Companion]]
_providers: Final[list[tuple[Provider, bool]]] = []


def register(provider: Provider, *, written: bool = False) -> None:
    """Have `provider` tell the documents of a recording, of which a copy holds some parts; None means all of it.

    `written`: they are what was said, written down.
    """
    _providers.append((provider, written))


def companions_of(recording: Recording, parts: Parts | None) -> list[Companion]:
    """Return the documents that go along with a copy of these parts of the recording; None means all of it."""
    return companions_apart(recording, parts, parts)


def companions_apart(recording: Recording, parts: Parts | None, readable: Parts | None) -> list[Companion]:
    """Return the same of a copy with whose `parts` no more goes along in writing than what was said in `readable`."""
    found: list[Companion] = []
    for provider, written in _providers:
        found += provider(recording, readable if written else parts)
    return found


def bundle(name: str, data: Iterable[bytes], documents: Iterable[Companion], at: datetime) -> Iterator[bytes]:
    """Yield a ZIP file with the copy called `name`, its documents, and the notice; nothing is kept in memory."""
    file = ZipStream(at)
    for one in (Companion("NOTICE.txt", words.in_both(words.notice) + "\n"), *documents):
        yield file.small(one.name, one.text)
    yield from file.large(name, data)
    yield file.end()


def counted(pieces: Iterable[bytes], noted: Callable[[str, int], None]) -> Iterator[bytes]:
    """Yield a copy's pieces; `noted` gets its digest and its size in bytes once all of it was taken."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        yield piece
    noted(digest.hexdigest(), size)
