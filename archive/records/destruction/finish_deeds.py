"""What follows from a destruction that was decided: key, package and identifiers go, and later the last backup of it.

Each step can be repeated after a crash. The worker completes what a kill left.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.core.database_log import empty_log
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE
from archive.custody.log import record
from archive.keystore.generations import generations, note_destroyed
from archive.recordings.removal import remove_destroyed
from archive.records.outside_recordings.either import package_of

from .custody_kinds import FINISHED, FORGOTTEN
from .erase_deeds import erase
from .models import Destruction, State
from .reach import were_told

LOOK_S: Final = 30.0
"""How often the worker looks for what is to be completed, in seconds."""
_log = logging.getLogger(__name__)


def finish(pk: UUID) -> bool:
    """Remove key and package, then the identifiers, also from the database's log; return whether all of it is done.

    While somebody reads the database as it was before, its log has the names still, and nothing says that they are
    gone: the worker asks again.
    """
    row = Destruction.objects.select_related("recording", "outside").filter(pk=pk, state=State.CLOSING).first()
    if row is None:
        return False
    # first of all: a copy of the keys that is restored later must not bring it back
    note_destroyed(row.about_pk)
    remove_destroyed(row.about_pk, package_of(row.about))
    # a copy of the key store has its name before it holds a key, so whatever holds this one is among them
    copies = generations()
    _erase(pk)
    if not empty_log():
        _log.info("the destruction %(destruction)s waits for the database's log", {"destruction": pk})
        return False
    with one_deed():
        row = Destruction.objects.select_for_update().filter(pk=pk, state=State.CLOSING).first()
        if row is None:
            return False
        record(
            FINISHED,
            actor=ARCHIVE,
            subject=row.subject,
            destruction=str(pk),
            generations=len(copies),
            removed=sum(row.removed.values()),
        )
        row.state, row.finished_at, row.generations = State.DONE, timezone.now(), copies
        row.save(update_fields=["state", "finished_at", "generations"])
    note_forgotten()
    return True


def _erase(pk: UUID) -> None:
    """Remove the identifiers from the rows, once: what was removed is counted for the certificate."""
    with one_deed():
        row = Destruction.objects.select_for_update().filter(pk=pk, state=State.CLOSING, erased_at=None).first()
        if row is None:
            return
        row.told_people, row.removed, row.erased_at = were_told(row).count(), erase(row.about), timezone.now()
        row.reason, row.asked_by = "", None
        row.save()


def note_forgotten() -> int:
    """Note for which destroyed recordings no copy of the key store is left that opens it; return how many."""
    left, noted = set(generations()), 0
    for row in Destruction.objects.filter(state=State.DONE, forgotten_at=None):
        if left & set(row.generations):
            continue
        with one_deed():
            done = Destruction.objects.select_for_update().filter(pk=row.pk, forgotten_at=None).first()
            if done is None:
                continue
            record(FORGOTTEN, actor=ARCHIVE, subject=row.subject, destruction=str(row.pk))
            done.forgotten_at = timezone.now()
            done.save(update_fields=["forgotten_at"])
        noted += 1
    return noted


def finish_all(stop: StopSignal) -> None:
    """Complete what was decided, and note what no backup opens any more: a job of the worker."""
    for pk in list(Destruction.objects.filter(state=State.CLOSING).values_list("pk", flat=True)):
        if stop.is_set():
            return
        try:
            finish(pk)
        except (PlainSightError, OSError) as error:
            _log.error(
                "the destruction %(destruction)s is decided and not complete yet: %(problem)s",
                {"destruction": pk, "problem": error},
            )
    note_forgotten()
