"""A folder that backups or exports go to: one run at a time, and nothing stays of one that was killed."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.contract.errors import StorageError
from archive.store.local import make_folder, told_as

LOCK: Final = ".plainsight-lock"
"""Held by the run that is at work. It stays, so a place without it is not the one that an earlier run went to."""
_WORK: Final = re.compile(r"\.(archive-)?\d{8}T\d{6}Z")
"""What a run works in, until it is whole and gets its name."""
_log = logging.getLogger(__name__)


@contextmanager
def one_run_in(folder: Path) -> Iterator[int]:
    """Keep other runs out of `folder`, remove what killed ones left, and yield how many those were.

    What they left holds the whole database, names of destroyed recordings among it, and does not show in `ls`. Raises
    StorageError while another run is at work there.
    """
    with told_as(str(folder)):
        make_folder(folder)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _sweep(folder) if _is_alone(lock, folder) else 0
    finally:
        os.close(lock)


def require_there(folder: Path, used: str) -> None:
    """Raise StorageError where `folder` is the one `used` last, and what was mounted there is away.

    The folder of its mount point is there, and empty: the backup would go to the disk that it is a backup of.
    """
    if str(folder) == used and not (folder / LOCK).exists():
        raise StorageError(
            f"{folder} is away: the last backup went there, and its file {LOCK} is not in it; mount it. Where another "
            f"disk took its place for good, make that file: touch {folder / LOCK}"
        )


def _is_alone(lock: int, folder: Path) -> bool:
    """Take the lock; return False where the file system knows none, so that nobody can tell who is at work."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageError(f"another backup or export is at work in {folder}; let it finish") from error
    except OSError as error:
        _log.warning("%(path)s takes no lock: %(problem)s", {"path": folder, "problem": error})
        return False
    return True


def _sweep(folder: Path) -> int:
    with told_as(str(folder)):
        left = [path for path in folder.iterdir() if _WORK.fullmatch(path.name) and path.is_dir()]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            _log.error("%(path)s was left by a run that was killed, and cannot be removed", {"path": path})
    return sum(not path.exists() for path in left)
