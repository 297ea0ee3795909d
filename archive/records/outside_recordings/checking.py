"""Holding a sealed file that was brought against what was sealed: fixity, which says nothing about its making."""

from __future__ import annotations

import hashlib

from appliance.contract.errors import DigestError
from archive.store.base import open_object
from archive.store.current import store

from .models import OutsideRecording
from .plain_file import open_file, outside_package


def check_outside(row: OutsideRecording, *, audio: bool = True) -> None:
    """Read all of a package, and with `audio` all of its file, and compare both with the digests of the seal.

    Raises StorageError where it is gone, DigestError where it differs, DecryptionError where its key is gone.
    """
    with open_object(store(), outside_package(row.pk)) as file:
        # the buffered reader has readinto, which typeshed's BinaryIO does not promise
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != row.package_sha256:
        raise DigestError(f"the package of {row.pk} is not the one that was sealed; restore it from a copy")
    if not audio:
        return
    with open_file(row) as plain:
        whole = hashlib.file_digest(plain, "sha256").hexdigest()
    if whole != row.sha256:
        raise DigestError(f"what the package of {row.pk} opens to is not the file that was brought")
