"""Reads back, decrypts and compares what was written, before it is acknowledged (docs/format.md section 2.6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.contract import segment
from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, FormatError
from appliance.contract.segment import Samples
from appliance.recorder.storage.disk import FAILED, Disk, DiskError


def check_segment(disk: Disk, path: Path, encrypted: bytes, identity: Identity, *, samples: Samples, rate: int) -> None:
    """Raise DiskError unless the file holds `encrypted`, decrypts, and decodes to exactly `samples`."""
    found = disk.read(path)
    if found != encrypted:
        raise _different(path, f"{len(found)} bytes came back for {len(encrypted)}")
    try:
        decoded = segment.decode(identity.decrypt(found), samples.size, rate)
    except (FormatError, DecryptionError) as error:
        raise _different(path, error.message) from error
    if not np.array_equal(decoded, samples):
        raise _different(path, "the samples differ")


def check_bytes(disk: Disk, path: Path, offset: int, data: bytes) -> None:
    """Raise DiskError unless the file ends with `data` from `offset` on."""
    if disk.read(path, offset) != data:
        raise _different(path, "other bytes came back")


def _different(path: Path, what: str) -> DiskError:
    return DiskError(FAILED, f"{path} was not read back as it was written: {what}; replace the card or disk")
