"""Documents that go along with every copy of a recording, and the ZIP file that carries both.

Who knows such documents (a parent's statement, 34 CFR 99.21(c)) stands above this app and registers itself.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

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


class _Sink(io.RawIOBase):
    """Takes what a ZIP file writes, until somebody sends it."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: object) -> int:
        """Keep some bytes."""
        part = bytes(data)  # type: ignore[call-overload]  # a buffer, as io says
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def bundle(name: str, data: Iterable[bytes], documents: Iterable[Companion], at: datetime) -> Iterator[bytes]:
    """Yield a ZIP file with the copy called `name`, its documents, and the notice; nothing is kept in memory."""
    sink, stamp = _Sink(), at.astimezone(UTC).timetuple()[:6]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as file:
        for one in (Companion("NOTICE.txt", words.notice() + "\n"), *documents):
            file.writestr(zipfile.ZipInfo(one.name, stamp), one.text)
        with file.open(zipfile.ZipInfo(name, stamp), "w", force_zip64=True) as member:
            for chunk in data:
                member.write(chunk)
                yield sink.taken()
    yield sink.taken()
