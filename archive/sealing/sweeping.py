"""Clearing what crashes left behind: a job of the worker."""

from __future__ import annotations

import logging

from django.db import transaction

from appliance.contract.stop_signal import StopSignal
from archive.core.deeds import take_turn
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording, State
from archive.store.base import incoming_folder
from archive.store.current import store

from .rebuild import clear_incoming

SWEEP_S = 3600.0
"""How often it is looked for, in seconds."""
_log = logging.getLogger(__name__)


def sweep(stop: StopSignal) -> None:
    """Remove temporary objects, what requests left that were killed before their commit, and what seals left."""
    store().sweep()
    recording_keys().sweep()
    for recording in store().incoming():
        if stop.is_set():
            return
        with transaction.atomic():
            # whoever takes something in has this turn too, and looks if it is still there (archive.ingest.incoming)
            take_turn(incoming_folder(recording))
            row = Recording.objects.filter(pk=recording).first()
            if (
                row is not None
                and row.state != State.SEALED
                and (dropped := store().drop_strays(recording, _named(row)))
            ):
                _log.info(
                    "cleared %(count)d leftover objects of %(recording)s, which nothing names",
                    {"count": dropped, "recording": recording},
                )
        if row is not None and row.state == State.SEALED and clear_incoming(row):
            _log.info("cleared what had arrived of %(recording)s, which is sealed", {"recording": recording})


def _named(row: Recording) -> set[str]:
    return {*row.arrivals.values_list("stored", flat=True), *row.tail.values_list("stored", flat=True)}
