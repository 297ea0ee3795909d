"""Writes the commissioning record to the disk, atomically."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from appliance.contract.commissioning import Commissioning
from appliance.contract.keys import SigningKey
from appliance.recorder.storage.disk import Disk, DiskError
from appliance.recorder.storage.spool import store

_MODE: Final = 0o644
"""Root writes it and the recorder's user reads it; it holds no secret."""


def keep_record(path: Path, record: Commissioning, key: SigningKey, disk: Disk | None = None) -> None:
    """Sign the record and replace the old one durably; raise DiskError and keep the old one if that fails."""
    disk = disk or Disk()
    try:
        store(disk, path, record.sign(key), mode=_MODE)
    except DiskError:
        with contextlib.suppress(OSError):  # a file left behind does no harm; report the first error
            path.with_name(f".{path.name}.new").unlink(missing_ok=True)
        raise
