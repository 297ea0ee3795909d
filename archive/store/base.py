"""What the archive asks of the place where its bytes lie; a local disk now, an object store with locks later.

Names are relative paths made by the functions below, so they hold identifiers and numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


def incoming_name(recording: str, number: int, *, tail: bool) -> str:
    """Return the name of a segment that arrived and is not sealed yet."""
    return f"{incoming_folder(recording)}/{'tail' if tail else 'segments'}/{number:08d}.age"


def incoming_folder(recording: str) -> str:
    """Return the folder of what arrived of a recording."""
    return f"incoming/{recording}"


def key_name(recording: str) -> str:
    """Return the name of a recording's sealed key: never inside a package, so that it can be destroyed everywhere."""
    return f"keys/{recording}.age"


def package_name(recording: str) -> str:
    """Return the name of a sealed package."""
    return f"packages/{recording[:2]}/{recording}.zip"


class Staged(Protocol):
    """Bytes that are safe on disk and not in their place yet."""

    def publish(self) -> None:
        """Put them into their places; what is there is replaced."""

    def discard(self) -> None:
        """Forget them; nothing happens if they were published."""


class Store(Protocol):
    """Keeps named bytes. Every method raises StorageError when the disk says no."""

    def stage(self, items: Iterable[tuple[str, bytes]]) -> Staged:
        """Make `items` durable under temporary names."""

    def put_once(self, name: str, data: bytes) -> None:
        """Keep `data` for good: the same bytes again succeed, others raise ConflictError."""

    def workspace(self) -> Path:
        """Return a local folder for a package in the making, on the same file system as the store where it is local."""

    def adopt_once(self, name: str, path: Path) -> None:
        """Move the finished file `path` to `name` for good and read-only; the same bytes again succeed."""

    def local(self, name: str) -> Path:
        """Return a local path where `name` can be read."""

    def exists(self, name: str) -> bool:
        """Tell whether there is such a name."""

    def size(self, name: str) -> int:
        """Return its size in bytes."""

    def read(self, name: str) -> bytes:
        """Return all its bytes."""

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset` on."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield all its bytes in pieces."""

    def drop_incoming(self, recording: str) -> None:
        """Remove what arrived of a recording; nothing happens if there is nothing. The only way to delete."""

    def sweep(self) -> None:
        """Remove temporary files that a crash left behind."""
