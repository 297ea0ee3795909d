"""A store on a local disk.

Files are made under a name that begins with a dot, fsynced, and renamed; then their folder is fsynced. What is kept for
good is linked to its name, which fails if the name is taken, and made read-only.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.contract.errors import ConflictError, StorageError

from .base import incoming_folder

CHUNK = 1 << 18
READ_ONLY = 0o444
PRIVATE = 0o600
LEFT_BEHIND_S = 3600
"""A temporary file older than this belongs to nobody any more, in seconds."""


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(f"the store failed at {name}: {reason}; nothing was lost, try again later") from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass
class LocalStaged:
    """Files under temporary names, and where each belongs."""

    moves: list[tuple[Path, Path]] = field(default_factory=list)

    def publish(self) -> None:
        """Rename all of them, then make the names durable."""
        with _told("publishing"):
            for temporary, final in self.moves:
                temporary.rename(final)
            for folder in {final.parent for _, final in self.moves}:
                sync_folder(folder)
        self.moves = []

    def discard(self) -> None:
        """Remove what was not published."""
        with _told("discarding"):
            for temporary, _ in self.moves:
                temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class LocalStore:
    """A store below one folder."""

    root: Path

    def _path(self, name: str) -> Path:
        return self.root / name

    def _folder(self, path: Path) -> None:
        if path.is_dir():
            return
        self._folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)

    def _temporary(self, final: Path, data: bytes) -> Path:
        self._folder(final.parent)
        temporary = final.parent / f".{final.name}.{secrets.token_hex(6)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            temporary.unlink()
            raise
        return temporary

    def stage(self, items: Iterable[tuple[str, bytes]]) -> LocalStaged:
        """Make `items` durable under temporary names."""
        staged = LocalStaged()
        try:
            for name, data in items:
                final = self._path(name)
                with _told(name):
                    staged.moves.append((self._temporary(final, data), final))
        except StorageError:
            staged.discard()
            raise
        return staged

    def put_once(self, name: str, data: bytes) -> None:
        """Keep `data` for good: the same bytes again succeed, others raise ConflictError."""
        with _told(name):
            final = self._path(name)
            self._link(self._temporary(final, data), final, name, PRIVATE & READ_ONLY)

    def workspace(self) -> Path:
        """Return the folder for packages in the making."""
        with _told("work"):
            self._folder(self.root / "work")
        return self.root / "work"

    def adopt_once(self, name: str, path: Path) -> None:
        """Move the finished, fsynced file `path` to `name` for good and read-only; the same bytes again succeed."""
        with _told(name):
            final = self._path(name)
            self._folder(final.parent)
            self._link(path, final, name, READ_ONLY)

    @staticmethod
    def _link(temporary: Path, final: Path, name: str, mode: int) -> None:
        try:
            temporary.chmod(mode)
            final.hardlink_to(temporary)
        except FileExistsError:
            if not filecmp.cmp(temporary, final, shallow=False):
                raise ConflictError(f"other bytes are already kept as {name}") from None
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(final.parent)

    def local(self, name: str) -> Path:
        """Return the path of `name`."""
        return self._path(name)

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return self._path(name).is_file()

    def size(self, name: str) -> int:
        """Return its size in bytes."""
        with _told(name):
            return self._path(name).stat().st_size

    def read(self, name: str) -> bytes:
        """Return all its bytes."""
        with _told(name):
            return self._path(name).read_bytes()

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset` on."""
        with _told(name), self._path(name).open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        if len(data) != size:
            raise StorageError(f"{name} ends before byte {offset + size}; check it with 'plainsight-archive verify'")
        return data

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield all its bytes in pieces."""
        with _told(name), self._path(name).open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece

    def sweep(self) -> None:
        """Remove temporary files that a crash left more than an hour ago: one may be a copy of a recording's key."""
        with _told("sweeping"):
            for path in self.root.rglob(".*"):
                if path.is_file() and path.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                    path.unlink(missing_ok=True)

    def drop_incoming(self, recording: str) -> None:
        """Remove what arrived of a recording; nothing happens if there is nothing."""
        folder = self._path(incoming_folder(recording))
        with _told(folder.name):
            if folder.exists():
                shutil.rmtree(folder)
                sync_folder(folder.parent)
