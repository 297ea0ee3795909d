"""Reading what others write, and writing what others read."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path


def read_bounded(path: Path, limit: int) -> bytes:
    """Return a regular file's bytes, at most `limit`; raise OSError if it is longer, missing or anything else.

    A link is not followed: it could name a file of the courier's own, which would then be sent away. A FIFO, or a file
    with a lease on it, would keep the reader waiting for as long as its owner likes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"longer than {limit} bytes", str(path))
    return data


def write_new(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a file that does not exist yet; with `durable`, fsync it, but not its name (sync_folder).

    Raises FileExistsError, or OSError with nothing left of it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def create(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Write a new file, whole or not at all, and make its name durable as well; raises what `write_new` raises."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_new(temporary, chunks, mode=mode)
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # a card's or a stick's file system has no links; whoever writes there writes alone
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def replace(path: Path, data: bytes, *, mode: int, durable: bool) -> None:
    """Write `data` under a dotted name and rename it to `path`; with `durable`, fsync file and folder."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    write_new(temporary, [data], mode=mode, durable=durable)
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
