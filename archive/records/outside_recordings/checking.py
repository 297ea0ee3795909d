"""Holding a sealed file that was brought against what was sealed: fixity, which says nothing about its making."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from appliance.contract.errors import DigestError, StorageError
from archive.core.jobs import still_working
from archive.store.base import BUFFER, open_object
from archive.store.current import store

from .models import OutsideRecording
from .plain_file import open_file, outside_package


def check_outside(row: OutsideRecording, *, audio: bool = True) -> None:
    """Read all of a package, and with `audio` all of its file, and compare both with the digests of the seal.

    Raises StorageError where it is gone, DigestError where it differs, DecryptionError where its key is gone.
    """
    if not store().exists(outside_package(row.pk)):
        raise StorageError(f"the package of {row.pk}, which no box made, is gone; restore it from a copy")
    with open_object(store(), outside_package(row.pk)) as file:
        found = _digest(file)
    if found != row.package_sha256:
        raise DigestError(f"the package of {row.pk} is not the one that was sealed; restore it from a copy")
    if not audio:
        return
    with open_file(row) as plain:
        whole = _digest(plain)
    if whole != row.sha256:
        raise DigestError(f"what the package of {row.pk} opens to is not the file that was brought")


def _digest(file: BinaryIO) -> str:
    sha256 = hashlib.sha256()
    take = sha256.update
    while data := file.read(BUFFER):
        still_working()
        take(data)
    return sha256.hexdigest()
