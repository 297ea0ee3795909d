"""Removing what is left of a recording that was destroyed: the decision stands in archive.records.destruction."""

from __future__ import annotations

from archive.keystore.recording_keys import recording_keys
from archive.store.base import derivatives_folder, package_name
from archive.store.current import store


def remove_destroyed(recording: str) -> None:
    """Remove key, package and derivatives of a recording that two people decided to destroy, as far as they are there.

    The key goes first: from then on nobody opens what is left. Raises KeyHeldError where it was not decided, and
    StorageError when the disk says no; either way it can be called again.
    """
    recording_keys().destroy_key(recording)
    store().remove(package_name(recording))
    for name in list(store().names(derivatives_folder(recording))):
        store().remove(name)
    store().drop_incoming(recording)
