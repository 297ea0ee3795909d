"""The store of this process."""

from __future__ import annotations

from django.conf import settings

from .base import Store
from .local import LocalStore


def store() -> Store:
    """Return the store: a folder of the archive's home."""
    return LocalStore(settings.ARCHIVE_HOME / "store")


def writable() -> bool:
    """Tell whether the store takes bytes; raise StorageError with the reason if not."""
    draft = store().draft("health")
    try:
        draft.reader().close()
    finally:
        draft.discard()
    return True
