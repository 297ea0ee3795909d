"""The keystore of this process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from .base import KeyStore
from .file import FileKeyStore


@cache
def keystore() -> KeyStore:
    """Return the keystore; raise KeyFileError as long as its keys cannot be read."""
    return FileKeyStore.load(settings.ARCHIVE_HOME / "keys")
