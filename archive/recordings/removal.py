"""Removing what is left of a recording that was destroyed: the decision stands in archive.records.destruction."""

from __future__ import annotations

from archive.keystore.recording_keys import recording_keys
from archive.store.base import package_name
from archive.store.current import store


def remove_destroyed(recording: str) -> None:
    """Remove key and package of a recording that two people decided to destroy; nothing happens where both are gone.

    The key goes first: from then on nobody opens what is left. Raises KeyHeldError where it was not decided, and
    StorageError when the disk says no; either way it can be called again.
    """
    recording_keys().destroy_key(recording)
    store().remove(package_name(recording))
    store().drop_incoming(recording)
