"""Clearing what crashes left behind: a job of the worker."""

from __future__ import annotations

import logging

from appliance.contract.stop_signal import StopSignal
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording, State
from archive.store.current import store

from .rebuild import clear_incoming

SWEEP_S = 3600.0
"""How often it is looked for, in seconds."""
_log = logging.getLogger(__name__)


def sweep(stop: StopSignal) -> None:
    """Remove temporary objects, and what had arrived of recordings whose seal was killed before it cleared that."""
    store().sweep()
    recording_keys().sweep()
    for recording in store().incoming():
        if stop.is_set():
            return
        row = Recording.objects.filter(pk=recording, state=State.SEALED).first()
        if row is not None and clear_incoming(row):
            _log.info("cleared what had arrived of %s, which is sealed", recording)
