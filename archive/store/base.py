"""What the archive asks of the place where its bytes lie: a local disk, or an S3 bucket with locks.

Nothing here hands out a path: bytes are read as ranges, and written as whole objects. Names are relative paths made by
the functions below, so they hold identifiers and numbers only. Recordings' keys lie elsewhere (archive.keystore).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import BinaryIO, Final, Protocol

BUFFER = 1 << 18
"""Bytes that a reader asks the store for at once."""
HOUR: Final = 361_000_000
"""Bytes of an hour of audio in the store, at 48 kHz (docs/format.md section 2)."""
FEW_HOURS: Final = 100
"""Room for fewer hours than this needs a look: about a day of a district with 25 rooms."""
NO_HOURS: Final = 10
"""Below this a day of meetings may not fit."""
PACKAGES = "packages"
INCOMING = "incoming"
DERIVATIVES = "derivatives"


def incoming_folder(recording: str) -> str:
    """Return the folder of what arrived of a recording."""
    return f"{INCOMING}/{recording}"


def package_name(recording: str) -> str:
    """Return the name of a sealed package."""
    return f"{PACKAGES}/{recording[:2]}/{recording}.zip"


def derivatives_folder(recording: str) -> str:
    """Return the folder of what was made of a recording for others: redacted copies, encrypted to its key."""
    return f"{DERIVATIVES}/{recording[:2]}/{recording}"


class Draft(Protocol):
    """An object in the making, which nobody else sees."""

    def write(self, data: bytes) -> int:
        """Append `data` and return its length."""

    def reader(self) -> BinaryIO:
        """Make what was written durable, and return a reader of it; nothing may be written afterwards."""

    def publish(self) -> None:
        """Give it its name for good; the same bytes there already succeed, others raise ConflictError."""

    def discard(self) -> None:
        """Forget it; nothing happens if it was published."""


class Store(Protocol):
    """Keeps named bytes. Every method raises StorageError when the disk says no."""

    def add_incoming(self, recording: str, label: str, pieces: Iterable[bytes]) -> str:
        """Make `pieces`, one behind the other, durable as one object of what arrives of a recording; return its name.

        The name begins with `label` and was never given before: nothing is ever written over. It means nothing until
        the database names it, so one that is torn or left over by a crash is only waste (`drop_strays`).
        """

    def put_once(self, name: str, data: bytes) -> None:
        """Keep `data` for good: the same bytes again succeed, others raise ConflictError."""

    def draft(self, name: str) -> Draft:
        """Begin an object of any size that is to be kept for good as `name`."""

    def exists(self, name: str) -> bool:
        """Tell whether there is such a name."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield every name below the folder `prefix`, in no order."""

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the same names, each with its size in bytes: in a bucket both stand in one list."""

    def size(self, name: str) -> int:
        """Return its size in bytes."""

    def read(self, name: str) -> bytes:
        """Return all its bytes."""

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset` on."""

    def make_sure(self, name: str) -> None:
        """Make an object whose keeping was broken off as safe as one that was kept now: durable, and locked.

        It says nothing of the bytes: whoever asks has read them.
        """

    def incoming(self) -> list[str]:
        """Return the recordings of which something that arrived is here."""

    def remove_incoming(self, name: str) -> None:
        """Remove one object that `add_incoming` made and that nothing names."""

    def drop_strays(self, recording: str, named: AbstractSet[str]) -> int:
        """Remove what arrived of a recording more than an hour ago and is not among `named`; return how many."""

    def drop_incoming(self, recording: str) -> None:
        """Remove all that arrived of a recording; nothing happens if there is nothing."""

    def remove(self, name: str) -> None:
        """Remove an object that was kept for good; nothing happens if there is none.

        Only a destruction does so, for derivatives whoever made them, and whoever clears what was given up unsealed.
        """

    def sweep(self) -> None:
        """Remove temporary objects that a crash left behind."""


class RangeReader(io.RawIOBase):
    """A stored object as a file that can be sought, read by ranges; raises StorageError when the store says no."""

    def __init__(self, store: Store, name: str) -> None:
        super().__init__()
        self._store, self._name = store, name
        self._size, self._at = store.size(name), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return where it stands now."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        """Return where it stands."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed wants any Buffer
        """Fill `buffer` with what comes next, and return how many bytes that were."""
        count = min(len(buffer), max(self._size - self._at, 0))
        buffer[:count] = self._store.read_range(self._name, self._at, count)
        self._at += count
        return count


def open_object(store: Store, name: str) -> io.BufferedReader:
    """Return a buffered reader of a stored object; raise StorageError if it is not there."""
    return io.BufferedReader(RangeReader(store, name), BUFFER)
