"""One instance of a program for each folder: a lock that the kernel frees with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import SettingsError


@contextlib.contextmanager
def single_instance(folder: Path, program: str, *, field: str, remedy: str) -> Iterator[None]:
    """Hold `folder` for `program`, such as `recorder`, by a lock file of its name.

    Raises SettingsError for the setting `field`, with `remedy` if another instance holds the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / f"{program}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            # root commissions, another user records: the lock belongs to whoever owns the folder
            owner = folder.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise SettingsError(
            f"cannot use {folder}: {error.strerror}; make it a folder that the {program} may write", field=field
        ) from error
    try:
        if not locked(descriptor):
            raise SettingsError(f"another {program} runs with {folder}; {remedy}", field=field)
        yield
    finally:
        os.close(descriptor)


def locked(descriptor: int) -> bool:
    """Lock an open file for as long as it is open, and tell whether that was possible; never waits."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
