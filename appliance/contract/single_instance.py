"""One recorder for each run folder: a lock that the kernel frees with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import SettingsError


@contextlib.contextmanager
def single_instance(run: Path, remedy: str) -> Iterator[None]:
    """Hold the run folder; raise SettingsError, with `remedy`, if a recorder holds it or it cannot be written."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run / "recorder.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            # root commissions, another user records: the lock belongs to whoever owns the folder
            owner = run.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise SettingsError(
            f"cannot write into {run}: {error.strerror}; make the folder writable for the recorder", field="spool.run"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(f"another recorder runs with {run}; {remedy}", field="spool.run") from error
        yield
    finally:
        os.close(descriptor)
