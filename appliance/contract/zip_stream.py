"""A ZIP file of stored members that is sent while it is made: nothing of it is kept in memory or on a disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime


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


class ZipStream:
    """A ZIP file in the making. Each method yields bytes of it, in order; `end` the last ones."""

    def __init__(self, at: datetime) -> None:
        """Begin one whose members are dated `at`."""
        self._sink = _Sink()
        self._file = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_STORED)
        self._stamp = at.astimezone(UTC).timetuple()[:6]

    def small(self, name: str, data: bytes | str) -> bytes:
        """Add a member that is in memory already, and return its bytes."""
        self._file.writestr(zipfile.ZipInfo(name, self._stamp), data)
        return self._sink.taken()

    def large(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Add a member piece by piece; its size may be anything."""
        with self._file.open(zipfile.ZipInfo(name, self._stamp), "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                yield self._sink.taken()
        yield self._sink.taken()

    def end(self) -> bytes:
        """Return the directory, which ends the file."""
        self._file.close()
        return self._sink.taken()
