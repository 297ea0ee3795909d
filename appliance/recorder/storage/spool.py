"""Where things are in the spool (docs/format.md section 2), how a file gets there, and who may write: one writer."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import ClassVar, Final

from appliance.contract.errors import SettingsError
from appliance.contract.ids import RECORDING_PATTERN
from appliance.contract.single_instance import locked

from .disk import FAILED, FULL, Disk, DiskError

RESERVE_BYTES: Final = 256 << 10
"""Room that is kept so that a recording can be closed on a full disk, in bytes."""
_LOCK_POLL_S: Final = 0.1


class SpoolBusyError(SettingsError):
    """Another recorder's writer holds the spool."""

    code: ClassVar[str] = "spool-busy"


class Spool:
    """The spool's folders and files."""

    def __init__(self, root: Path, disk: Disk, *, mounted: bool = False) -> None:
        """Work in `root`; `mounted` says that a file system of its own belongs there."""
        self._mounted = mounted
        self._device: int | None = None
        self.root = root
        self.disk = disk
        self.recordings = root / "recordings"
        self.receipts = root / "receipts"
        self.aside = root / ".set-aside"
        """Where recovery puts what is no part of a recording; never deleted by us."""
        self._reserve = root / ".reserve"

    def folder(self, recording: str) -> Path:
        """Return a recording's folder."""
        return self.recordings / recording

    def prepare(self) -> None:
        """Make the folders that are missing; the spool itself must be there."""
        if not self.disk.exists(self.root):
            # not made here: an unmounted disk would go unnoticed and fill the system's own
            raise SettingsError(
                f"the spool {self.root} does not exist; mount it, make it, or correct spool.path", field="spool.path"
            )
        self.require_mount()
        for folder in (self.recordings, self.receipts, self.aside):
            if not self.disk.exists(folder):
                self.disk.make_folder(folder)
        # also where they were there: the writer that made them may have been killed before it synced them
        self.disk.sync_folder(self.root)

    def require_mount(self) -> None:
        """Raise DiskError where the spool's file system is not mounted, or was taken away since the last look.

        What was written to the bare folder instead would be hidden as soon as the disk is back.
        """
        device = self.disk.device(self.root)
        if self._mounted and device == self.disk.device(self.root.parent):
            raise DiskError(FAILED, f"nothing is mounted at the spool {self.root}; mount its disk")
        if self._device not in (None, device):
            raise DiskError(
                FAILED, f"another disk than before is mounted at the spool {self.root}; mount its own again"
            )
        self._device = device

    def ids(self) -> list[str]:
        """Return the recordings in the spool."""
        return [name for name in self.disk.names(self.recordings) if re.match(RECORDING_PATTERN, name)]

    def lock(self, patience_s: float) -> int:
        """Keep other writers out until this process ends; return the lock's descriptor.

        A writer whose supervisor died may still be finishing, so this waits for `patience_s` seconds before it refuses.
        """
        path = self.root / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise SettingsError(
                f"cannot write to the spool {self.root}: {error.strerror}; correct its owner, its mount or spool.path",
                field="spool.path",
            ) from error
        deadline = time.monotonic() + patience_s
        while not locked(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                os.close(descriptor)
                raise SpoolBusyError(
                    f"another recorder (process {holder}) already uses the spool {self.root}; end it, "
                    "or give this one a spool of its own",
                    field="spool.path",
                )
            time.sleep(_LOCK_POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        return descriptor

    def keep_reserve(self) -> None:
        """Set room aside for closing a recording, where there is room."""
        if self.disk.exists(self._reserve):
            return
        try:
            descriptor = self.disk.create(self._reserve)
            try:
                self.disk.reserve(descriptor, RESERVE_BYTES, self._reserve)
            finally:
                self.disk.close(descriptor, self._reserve)
        except DiskError as error:
            if error.fault != FULL:
                raise
            self.release_reserve()

    def release_reserve(self) -> None:
        """Give the reserved room back: the disk is full and a recording must be closed."""
        if self.disk.exists(self._reserve):
            self.disk.remove(self._reserve)

    def quarantine(self, path: Path) -> Path:
        """Move something out of the recordings, under a name that is free; return where it went."""
        number = 0
        while self.disk.exists(target := self.aside / f"{path.name.lstrip('.')}.{number}"):
            number += 1
        self.disk.rename(path, target)
        self.disk.sync_folder(self.aside)
        self.disk.sync_folder(path.parent)
        return target

    def quarantine_data(self, name: str, data: bytes) -> None:
        """Keep a copy of bytes that are about to be cut, under a name that is free; once is enough."""
        number = 0
        while self.disk.exists(target := self.aside / f"{name}.{number}"):
            if self.disk.read(target) == data:
                return
            number += 1
        store(self.disk, target, data)


def store(disk: Disk, path: Path, data: bytes, mode: int | None = None) -> None:
    """Make `path` with `data`, all of it or nothing: temporary name, fsync, rename, fsync of the folder.

    A temporary file that an earlier attempt left is replaced, and so is `path`. `mode`: other permissions than usual.
    """
    temporary = path.with_name(f".{path.name}.new")
    if disk.exists(temporary):
        disk.remove(temporary)
    descriptor = disk.create(temporary)
    try:
        disk.write(descriptor, data, temporary)
        if mode is not None:
            disk.set_mode(descriptor, mode, temporary)
        disk.fsync(descriptor, temporary)
        disk.drop_cache(descriptor, temporary)
    finally:
        disk.close(descriptor, temporary)
    disk.rename(temporary, path)
    disk.sync_folder(path.parent)
