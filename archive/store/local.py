"""A store on a local disk.

What is kept for good is made under a name that begins with a dot, fsynced, linked to its name, which fails if the name
is taken, and made read-only; then its folder is fsynced. What arrives gets a new name each time at once, so that file
and name become durable in one go, and counts from when the database names it.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.contract.durable_files import sync_folder, write_new
from appliance.contract.errors import ConflictError, StorageError

from .base import INCOMING, incoming_folder

READ_ONLY = 0o444
PRIVATE = 0o600
LEFT_BEHIND_S = 3600
"""A temporary file older than this belongs to nobody any more, in seconds."""


@contextlib.contextmanager
def told_as(name: str) -> Iterator[None]:
    """Turn what a disk says about `name` into a StorageError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(f"the store failed at {name}: {reason}") from error


def sweep_folder(root: Path) -> None:
    """Remove temporary files below `root` that a crash left more than an hour ago."""
    for path in root.rglob(".*"):
        if path.is_file() and is_left_behind(path):
            path.unlink(missing_ok=True)


def is_left_behind(path: Path) -> bool:
    """Tell whether a file is so old that nobody works on it any more."""
    return path.stat().st_mtime < time.time() - LEFT_BEHIND_S


class LocalDraft:
    """A file in `work/`, linked to its name when it is finished."""

    def __init__(self, work: Path, final: Path, name: str) -> None:
        self._path = work / f".{final.name}.{secrets.token_hex(6)}"
        self._final, self._name = final, name
        with told_as(name):
            self._file = self._path.open("xb")

    def write(self, data: bytes) -> int:
        """Append `data` and return its length."""
        with told_as(self._name):
            return self._file.write(data)

    def reader(self) -> BinaryIO:
        """Make what was written durable, and return a reader of it."""
        with told_as(self._name):
            self._make_durable()
            return self._path.open("rb")

    def publish(self) -> None:
        """Give it its name for good; the same bytes there already succeed, others raise ConflictError."""
        with told_as(self._name):
            self._make_durable()
            make_folder(self._final.parent)
            link_once(self._path, self._final, self._name, READ_ONLY)

    def _make_durable(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def discard(self) -> None:
        """Remove it; nothing happens if it was published."""
        with contextlib.suppress(OSError):  # a full disk may refuse what is still buffered; the file goes all the same
            self._file.close()
        with told_as(self._name):
            self._path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def write_temporary(final: Path, data: bytes) -> Path:
    """Write `data` durably beside `final` under a name of its own, and return that."""
    make_folder(final.parent)
    temporary = final.parent / f".{final.name}.{secrets.token_hex(6)}"
    write_new(temporary, [data], mode=PRIVATE)
    return temporary


def link_once(temporary: Path, final: Path, name: str, mode: int) -> None:
    """Give `temporary` its final name, for good; raise ConflictError if other bytes have that name."""
    try:
        temporary.chmod(mode)
        final.hardlink_to(temporary)
    except FileExistsError:
        if not filecmp.cmp(temporary, final, shallow=False):
            raise ConflictError(f"other bytes are already kept as {name}") from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(final.parent)


@dataclass(frozen=True)
class LocalStore:
    """A store below one folder."""

    root: Path

    def _path(self, name: str) -> Path:
        return self.root / name

    def add_incoming(self, recording: str, label: str, pieces: Iterable[bytes]) -> str:
        """Make `pieces` durable as one new object of what arrives of a recording, and return its name."""
        name = f"{incoming_folder(recording)}/{label}-{secrets.token_hex(8)}"
        path = self._path(name)
        with told_as(name):
            make_folder(path.parent)
            write_new(path, pieces, mode=PRIVATE)
            try:
                sync_folder(path.parent)
            except OSError:
                path.unlink()
                raise
        return name

    def remove_incoming(self, name: str) -> None:
        """Remove one object that nothing names."""
        with told_as(name):
            self._path(name).unlink(missing_ok=True)

    def drop_strays(self, recording: str, named: AbstractSet[str]) -> int:
        """Remove what arrived of a recording more than an hour ago and is not among `named`; return how many."""
        folder = incoming_folder(recording)
        dropped = 0
        with told_as(folder):
            for path in self._path(folder).iterdir():
                if f"{folder}/{path.name}" not in named and is_left_behind(path):
                    path.unlink()
                    dropped += 1
        return dropped

    def put_once(self, name: str, data: bytes) -> None:
        """Keep `data` for good: the same bytes again succeed, others raise ConflictError."""
        with told_as(name):
            final = self._path(name)
            link_once(write_temporary(final, data), final, name, PRIVATE & READ_ONLY)

    def make_sure(self, name: str) -> None:
        """Make the name of a file that was kept for good durable, and the folders above it; its bytes were before."""
        with told_as(name):
            for folder in self._path(name).parents:
                sync_folder(folder)
                if folder == self.root:
                    break

    def draft(self, name: str) -> LocalDraft:
        """Begin a file that is to be kept for good as `name`."""
        work = self.root / "work"
        with told_as("work"):
            make_folder(work)
        return LocalDraft(work, self._path(name), name)

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return self._path(name).is_file()

    def names(self, prefix: str) -> Iterator[str]:
        """Yield every name below the folder `prefix`, in no order."""
        with told_as(prefix):
            for folder, _, files in os.walk(self._path(prefix)):
                for file in files:
                    if not file.startswith("."):
                        yield os.path.relpath(Path(folder) / file, self.root)

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the same names, each with its size in bytes."""
        for name in self.names(prefix):
            with told_as(name), contextlib.suppress(FileNotFoundError):
                yield name, self._path(name).stat().st_size

    def size(self, name: str) -> int:
        """Return its size in bytes."""
        with told_as(name):
            return self._path(name).stat().st_size

    def read(self, name: str) -> bytes:
        """Return all its bytes."""
        with told_as(name):
            return self._path(name).read_bytes()

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset` on."""
        with told_as(name), self._path(name).open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        if len(data) != size:
            raise StorageError(f"{name} ends before byte {offset + size}; check it with 'plainsight-archive verify'")
        return data

    def remove(self, name: str) -> None:
        """Remove a file that was kept for good, and make that durable; nothing happens if there is none."""
        path = self._path(name)
        with told_as(name):
            if path.exists():
                path.unlink()
                sync_folder(path.parent)

    def sweep(self) -> None:
        """Remove temporary files that a crash left more than an hour ago."""
        with told_as("sweeping"):
            sweep_folder(self.root)

    def incoming(self) -> list[str]:
        """Return the recordings of which something that arrived is here."""
        with told_as(INCOMING):
            folder = self._path(INCOMING)
            return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def drop_incoming(self, recording: str) -> None:
        """Remove what arrived of a recording; nothing happens if there is nothing."""
        folder = self._path(incoming_folder(recording))
        with told_as(folder.name):
            if folder.exists():
                shutil.rmtree(folder)
                sync_folder(folder.parent)
