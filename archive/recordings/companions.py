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


Provider = Callable[[Recording, Parts | None], Iterable[Companion]]
_providers: Final[list[Provider]] = []


def register(provider: Provider) -> None:
    """Have `provider` tell the documents of a recording, of which a copy holds some parts; None means all of it."""
    _providers.append(provider)


def companions_of(recording: Recording, parts: Parts | None) -> list[Companion]:
    """Return the documents that go along with a copy of these parts of the recording; None means all of it."""
    return [one for provider in _providers for one in provider(recording, parts)]


def bundle(name: str, data: Iterable[bytes], documents: Iterable[Companion], at: datetime) -> Iterator[bytes]:
    """Yield a ZIP file with the copy called `name`, its documents, and the notice; nothing is kept in memory."""
    file = ZipStream(at)
    for one in (Companion("NOTICE.txt", words.notice() + "\n"), *documents):
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
