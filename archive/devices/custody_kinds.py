"""Custody entries about boxes and their keys."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import BoxKey

ENROLL = register("enroll", "a box's key was made known", "key")
RETIRE = register("retire", "a box was retired")
REVOKE_KEY = register("revoke-key", "a box's key was revoked", "key")


@compare_with_log
def keys_without_entry() -> Iterator[str]:
    """Yield the keys that are believed although no entry says that they were made known."""
    entered = {(entry.subject_id, entry.member("key")) for entry in Entry.objects.filter(code=ENROLL.code).iterator()}
    for key in BoxKey.objects.order_by("pk"):
        if (key.box_id, key.public_key) not in entered:
            yield f"{key.box_id} has the key {key.public_key}, which nobody enrolled"
