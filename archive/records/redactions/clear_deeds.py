"""Removing what was made of copies that were withdrawn: at once, when a hold ends, or when the store answers again."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core.deeds import after_commit, one_deed
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.holds.reach import why_held
from archive.store.base import DERIVATIVES, derivatives_folder
from archive.store.current import store

from .custody_kinds import DROPPED
from .models import Redaction, State

CLEAR_S: Final = 3600.0
"""How often the worker looks for what is left of copies that were withdrawn, in seconds."""
_log = logging.getLogger(__name__)


def clear_withdrawn(stop: StopSignal) -> None:
    """Remove what is left of copies that were withdrawn before their sign-off: a job of the worker.

    What a hold kept goes once the last hold has ended; what the store does not remove now, by a later run.
    """
    for pk, recording in _kept_by_a_hold().values_list("pk", "recording"):
        if stop.is_set():
            return
        if not why_held(recording):
            drop(pk)
    withdrawn = Redaction.objects.filter(state=State.WITHDRAWN, object="").values_list("pk", "recording_id")
    left = {f"{derivatives_folder(recording)}/{pk.hex}": (pk, recording) for pk, recording in withdrawn}
    for name in list(store().names(DERIVATIVES)) if left else []:
        if stop.is_set():
            return
        redaction, recording = left.get(name.rpartition("-")[0], (None, ""))
        if redaction is not None and not why_held(recording):
            _remove(name, redaction)


def drop(pk: UUID) -> bool:
    """Let go what was made of a withdrawn copy, unless a hold keeps it; return whether it did."""
    with one_deed():
        found = Redaction.objects.filter(pk=pk).values_list("recording", flat=True).first()
        # whoever puts a recording on hold locks the same row first
        Recording.objects.select_for_update().filter(pk=found).first()
        row = _kept_by_a_hold().select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None or why_held(row.recording_id):
            return False
        name = row.object
        subject = Subject.recording(row.recording_id)
        record(DROPPED, actor=ARCHIVE, subject=subject, redaction=row.pk.hex, sha256=row.sha256)
        row.object = ""
        row.save(update_fields=["object"])
        after_commit(lambda: _remove(name, pk))
    return True


def _kept_by_a_hold() -> QuerySet[Redaction]:
    made = Redaction.objects.filter(state=State.WITHDRAWN, signed_at=None, recording__destroyed_at=None)
    return made.exclude(object="").order_by("pk")


def _remove(name: str, redaction: UUID) -> None:
    try:
        store().remove(name)
    except StorageError as error:
        _log.error("the withdrawn copy %(redaction)s is left: %(problem)s", {"redaction": redaction, "problem": error})
