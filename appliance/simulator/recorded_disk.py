"""A disk that works and keeps a history of every call that changed it, for simulating power cuts.

What a call would leave behind after a power cut follows from the history alone, so nothing needs to be synced for
real. Single-threaded, as the writer is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.recorder.storage.disk import Disk, DiskError

Kind = Literal[
    "create",
    "open",
    "write",
    "fsync",
    "fsync-failed",
    "truncate",
    "reserve",
    "rename",
    "sync-folder",
    "make-folder",
    "remove",
    "remove-folder",
]


@dataclass(frozen=True)
class Call:
    """One call that came back."""

    kind: Kind
    path: Path
    handle: int = 0
    """Which opening of a file it belongs to, counted from 1; 0: none."""
    data: bytes = b""
    """What was written."""
    size: int = 0
    """Length after `truncate` and `reserve`, in bytes."""
    target: Path | None = None
    """The new name, of a `rename`."""


class RecordedDisk(Disk):
    """The real disk, unsynced, with its history.

    `refuse` may raise DiskError before a call; a refused `write` has written half, a refused `fsync` is in the
    history as one that failed.
    """

    def __init__(self, refuse: Callable[[Kind, Path], DiskError | None] = lambda _kind, _path: None) -> None:
        super().__init__()
        self.history: list[Call] = []
        self._refuse = refuse
        self._handles: dict[int, int] = {}
        self._opened = 0

    def create(self, path: Path) -> int:
        """Make a file."""
        self._ask("create", path)
        return self._open("create", path, super().create(path))

    def open_to_append(self, path: Path) -> int:
        """Open a file."""
        self._ask("open", path)
        return self._open("open", path, super().open_to_append(path))

    def write(self, descriptor: int, data: bytes, path: Path) -> None:
        """Write; a refused write has written half."""
        error = self._refuse("write", path)
        done = data if error is None else data[: len(data) // 2]
        super().write(descriptor, done, path)
        self._note(Call("write", path, self._handles[descriptor], bytes(done)))
        if error is not None:
            raise error

    def fsync(self, descriptor: int, path: Path) -> None:
        """Note it; nothing is synced for real."""
        error = self._refuse("fsync", path)
        kind: Kind = "fsync" if error is None else "fsync-failed"
        self._note(Call(kind, path, self._handles[descriptor]))
        if error is not None:
            raise error

    def truncate(self, descriptor: int, size: int, path: Path) -> None:
        """Cut."""
        self._ask("truncate", path)
        super().truncate(descriptor, size, path)
        self._note(Call("truncate", path, self._handles[descriptor], size=size))

    def reserve(self, descriptor: int, size: int, path: Path) -> None:
        """Give the file its size."""
        self._ask("reserve", path)
        os.ftruncate(descriptor, size)
        self._note(Call("reserve", path, self._handles[descriptor], size=size))

    def rename(self, source: Path, target: Path) -> None:
        """Rename."""
        self._ask("rename", source)
        super().rename(source, target)
        self._note(Call("rename", source, target=target))

    def sync_folder(self, folder: Path) -> None:
        """Note it; nothing is synced for real."""
        self._ask("sync-folder", folder)
        self._note(Call("sync-folder", folder))

    def make_folder(self, folder: Path) -> None:
        """Make a folder."""
        self._ask("make-folder", folder)
        super().make_folder(folder)
        self._note(Call("make-folder", folder))

    def remove(self, path: Path) -> None:
        """Remove a file."""
        self._ask("remove", path)
        super().remove(path)
        self._note(Call("remove", path))

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder."""
        self._ask("remove-folder", folder)
        super().remove_folder(folder)
        self._note(Call("remove-folder", folder))

    def _ask(self, kind: Kind, path: Path) -> None:
        error = self._refuse(kind, path)
        if error is not None:
            raise error

    def _open(self, kind: Kind, path: Path, descriptor: int) -> int:
        self._opened += 1
        self._handles[descriptor] = self._opened
        self._note(Call(kind, path, self._opened))
        return descriptor

    def _note(self, call: Call) -> None:
        self.history.append(call)
