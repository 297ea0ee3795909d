"""Reading what others write, and writing what others read."""

from __future__ import annotations

import os
from pathlib import Path


def read_bounded(path: Path, limit: int) -> bytes:
    """Return a regular file's bytes, at most `limit`; raise OSError if it is longer, missing or a symbolic link.

    A link is not followed: it could name a file of the courier's own, which would then be sent away.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(f"{path} is longer than {limit} bytes")
    return data


def replace(path: Path, data: bytes, *, mode: int, durable: bool) -> None:
    """Write `data` under a dotted name and rename it to `path`; with `durable`, fsync file and folder."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        if durable:
            os.fsync(file.fileno())
    temporary.rename(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
