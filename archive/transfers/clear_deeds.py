"""Removing what is left of packages that ended: their pieces, their words, and what a run without a row had kept."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.store.base import package_name
from archive.store.current import store

from .models import OPEN, State, Upload, UploadPiece

CLEAR_S: Final = 600.0
"""How often the worker looks for what a run without a row had kept, in seconds."""
WORDS_KEPT: Final = timedelta(days=30)
"""How long what was said about one that was refused is kept, so that it need not be typed again. Our choice: within it
the other archive sends a new one."""
_log = logging.getLogger(__name__)


def clear(pk: str) -> None:
    """Remove the pieces of a package that ended; it can be called again after a crash."""
    store().drop_incoming(pk)
    UploadPiece.objects.filter(upload=pk).delete()


def clear_ended() -> None:
    """Remove the pieces that a crash or a store left behind, and words that nobody takes over any more."""
    ended = Upload.objects.exclude(state__in=OPEN)
    left = ended.filter(Q(pk__in=store().incoming()) | Q(pieces__isnull=False)).distinct()
    for pk in list(left.values_list("pk", flat=True)):
        try:
            clear(pk)
        except (PlainSightError, OSError) as error:
            _log.error("pieces of %(subject)s cannot be removed: %(problem)s", {"subject": pk, "problem": error})
    old = Upload.objects.filter(state=State.REFUSED, ended_at__lt=timezone.now() - WORDS_KEPT)
    old.exclude(came_by="", key_ring="").update(came_by="", key_ring="")


def clear_stored(stop: StopSignal) -> None:
    """Remove key and package that a run kept before it failed, of a package that ended: a job of the worker.

    It runs in the lane that takes packages in, so none is taken in meanwhile; what a bucket has locked is tried again.
    """
    for row in list(Upload.objects.exclude(state__in=OPEN).exclude(stored="").only("stored")):
        if stop.is_set():
            return
        try:
            if is_left(row.stored):
                recording_keys().destroy_key(row.stored)
                for name in (package_name(row.stored), outside_package(row.stored)):
                    store().remove(name)
        except (PlainSightError, OSError) as error:
            _log.error(
                "what a run that failed kept of %(recording)s cannot be removed: %(problem)s",
                {"recording": row.stored, "problem": error},
            )
        else:
            Upload.objects.filter(pk=row.pk).update(stored="")


def is_being_cleared(recording: str) -> bool:
    """Tell whether key and package that a run for an ended package kept are about to be removed, unless a row is there.

    No row is saved meanwhile.
    """
    return Upload.objects.exclude(state__in=OPEN).filter(stored=recording).exists()


def is_left(recording: str) -> bool:
    """Tell whether key and package of a recording are only what a run left that was given up or refused."""
    rows = (Recording.objects.filter(pk=recording), OutsideRecording.objects.filter(pk=recording))
    return is_being_cleared(recording) and not any(one.exists() for one in rows)
