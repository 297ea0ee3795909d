"""After an older backup was taken back: what had been destroyed since is a tombstone again, and names nobody.

The database of then knows nothing of the decision. The list beside the keys of generations does, by identifiers alone
(archive/keystore/generations.py), and withholds the key; here the names that came back with the rows go again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils import timezone

from archive.core.deeds import one_deed
from archive.core.triggers import set_aside
from archive.custody.actors import Actor
from archive.custody.log import record
from archive.keystore.generations import note_destroyed
from archive.recordings.models import Recording
from archive.recordings.removal import remove_destroyed
from archive.records.holds.custody_kinds import HOLD_RELEASED
from archive.records.holds.models import Held
from archive.records.outside_recordings.either import Either, find_either, named, package_of, subject_of
from archive.records.outside_recordings.models import OutsideRecording

from .custody_kinds import DESTROYED, WITHDRAWN
from .erase_deeds import erase
from .models import Destruction, State


def destroy_restored(recordings: Iterable[str]) -> int:
    """Erase what stands beside those of `recordings` that the database calls kept; return how many there were.

    The decision of two, with its certificate, stands in the log that was lost; this one has an entry that says so.
    Holds of then do not count: it was destroyed after they had ended. Raises StorageError where the disk says no.
    """
    named_there = list(recordings)
    found: list[str] = []
    for model in (Recording, OutsideRecording):
        rows = model.objects.filter(pk__in=named_there, destroyed_at=None)
        found += rows.order_by("pk").values_list("pk", flat=True)
    if not found:
        return 0
    # rows of then, which triggers would keep from whoever goes around the deeds, are let go as they were let in
    with one_deed(), set_aside(connection):
        for pk in found:
            _destroy(find_either(pk, lock=True))
    for pk in found:
        # the restored archive's own list goes on where the one that was read ends
        note_destroyed(pk)
        remove_destroyed(pk, package_of(find_either(pk)))
    return len(found)


def _destroy(row: Either) -> None:
    actor, subject, now = Actor.operator(), subject_of(row), timezone.now()
    for held in Held.objects.filter(named(row.pk), released_at=None):
        record(HOLD_RELEASED, actor=actor, subject=subject, held=held.pk.hex)
    for proposed in Destruction.objects.filter(named(row.pk)).exclude(state=State.WITHDRAWN):
        record(WITHDRAWN, actor=actor, subject=subject, destruction=str(proposed.pk))
        proposed.state, proposed.withdrawn_at = State.WITHDRAWN, now
        proposed.save(update_fields=["state", "withdrawn_at"])
    record(DESTROYED, actor=actor, subject=subject, package_sha256=row.package_sha256, basis="restored")
    row.destroyed_at = now
    row.save(update_fields=["destroyed_at"])
    erase(row)
