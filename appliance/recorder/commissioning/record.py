"""Keeps the record of commissioning on the disk: written as a whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from appliance.contract.commissioning import Commissioning
from appliance.contract.keys import SigningKey
from appliance.recorder.writer.disk import Disk, DiskError
from appliance.recorder.writer.spool import store

_MODE: Final = 0o644
"""Root writes it, the recorder's user reads it, and nothing in it is secret."""


def keep_record(path: Path, record: Commissioning, key: SigningKey, disk: Disk | None = None) -> None:
    """Sign the record and put it in its place, durably; raise DiskError, the old one kept, if that fails."""
    disk = disk or Disk()
    try:
        store(disk, path, record.sign(key), mode=_MODE)
    except DiskError:
        with contextlib.suppress(OSError):  # what is left is in nobody's way; the first error is the one to tell
            path.with_name(f".{path.name}.new").unlink(missing_ok=True)
        raise
