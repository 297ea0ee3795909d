"""Every call that the writer makes to a disk, one method each, each result checked.

The rest of the writer gets a `Disk` and calls nothing else, so that a test can put a disk in its place that fails,
hangs, or keeps only what was synced. Nothing here retries: that is the writer's decision.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from appliance.contract.durable_files import read_bounded
from appliance.contract.errors import FormatError, StorageError
from appliance.recorder import resources

FULL: Final = "spool-full"
FAILED: Final = "spool-failed"
DAMAGED: Final = "recording-damaged"
"""The amber code for one recording that the disk does not give back, while it takes others."""
SLOW: Final = "spool-slow"
"""The amber code for a disk that takes its time."""
SLOW_NS: Final = 1_000_000_000
"""An fsync that takes longer raises it, in nanoseconds."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


class DiskError(StorageError):
    """A disk call failed; `fault` is the amber code for it (contract/amber_codes.py)."""

    code: ClassVar[str] = "storage"

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@contextmanager
def _named(action: str, path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in _NO_ROOM
        remedy = "make room: connect the box so that it uploads" if full else "check the card or disk and its mount"
        raise DiskError(FULL if full else FAILED, f"cannot {action} {path}: {error.strerror}; {remedy}") from error


class Disk:
    """The real one."""

    def __init__(self) -> None:
        self._slowest_ns = 0

    def create(self, path: Path) -> int:
        """Make a new file, readable for the group, and return its descriptor."""
        with _named("create", path):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def open_to_append(self, path: Path) -> int:
        """Open an existing file for appending and return its descriptor."""
        with _named("open", path):
            return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def write(self, descriptor: int, data: bytes, path: Path) -> None:
        """Write all of `data`; a short write is continued until the disk takes no more."""
        rest = memoryview(data)
        with _named("write", path):
            while rest:
                written = os.write(descriptor, rest)
                if written <= 0:
                    raise OSError(errno.EIO, "the disk took no bytes")
                rest = rest[written:]

    def fsync(self, descriptor: int, path: Path) -> None:
        """Make the file's bytes durable, and measure how long that took."""
        began = time.monotonic_ns()
        with _named("sync", path):
            os.fsync(descriptor)
        self._slowest_ns = max(self._slowest_ns, time.monotonic_ns() - began)

    def set_mode(self, descriptor: int, mode: int, path: Path) -> None:
        """Give the file these permissions, whatever the umask."""
        with _named("set the permissions of", path):
            os.fchmod(descriptor, mode)

    def drop_cache(self, descriptor: int, path: Path) -> None:
        """Forget the file's cached pages, so that the next read comes from the disk (synced pages only)."""
        with _named("drop the cache of", path):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def truncate(self, descriptor: int, size: int, path: Path) -> None:
        """Cut the file to `size` bytes."""
        with _named("truncate", path):
            os.ftruncate(descriptor, size)

    def close(self, descriptor: int, path: Path) -> None:
        """Close a descriptor; a late write error of the kernel shows here at the latest."""
        with _named("close", path):
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or folder its final name; durable only after `sync_folder`."""
        with _named("rename", source):
            source.rename(target)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable, and measure how long that took."""
        began = time.monotonic_ns()
        with _named("sync", folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._slowest_ns = max(self._slowest_ns, time.monotonic_ns() - began)

    def make_folder(self, folder: Path) -> None:
        """Make a folder that the group may read."""
        with _named("make the folder", folder):
            folder.mkdir(mode=0o750)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with _named("remove", path):
            path.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        with _named("remove the folder", folder):
            folder.rmdir()

    def read(self, path: Path, offset: int = 0) -> bytes:
        """Return the file's bytes from `offset` on, through a descriptor of its own."""
        with _named("read", path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                file.seek(offset)
                return file.read()

    def read_of_another_user(self, path: Path, limit: int) -> bytes | None:
        """Return what another user put into a file, at most `limit` bytes, or None if there is no such file.

        Raises FormatError for anything that this user cannot read at once: it tells nothing of the spool's disk.
        """
        try:
            return read_bounded(path, limit)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {error.strerror}") from error

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted."""
        with _named("list", folder):
            return sorted(path.name for path in folder.iterdir())

    def exists(self, path: Path) -> bool:
        """Tell whether there is anything of that name."""
        with _named("look at", path):
            return path.exists()

    def modified_s(self, path: Path) -> float:
        """Return when the file was last written, in seconds of the wall clock."""
        with _named("look at", path):
            return path.stat().st_mtime

    def device(self, path: Path) -> int:
        """Return the number of the file system that it lies on."""
        with _named("look at", path):
            return path.stat().st_dev

    def reserve(self, descriptor: int, size: int, path: Path) -> None:
        """Allocate `size` bytes for the file."""
        with _named("reserve", path):
            os.posix_fallocate(descriptor, 0, size)

    def free_bytes(self, folder: Path) -> int:
        """Return how many bytes may still be written there."""
        with _named("look at", folder):
            found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize

    def free_names(self, folder: Path) -> int | None:
        """Return how many files may still be made there, or None where the file system has no such limit."""
        with _named("look at", folder):
            return resources.free_names(folder)

    def take_slowest_ns(self) -> int:
        """Return the longest fsync since the last call, in nanoseconds."""
        slowest, self._slowest_ns = self._slowest_ns, 0
        return slowest
