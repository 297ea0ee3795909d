"""What state a recording is in, as far as whoever looks for it must know."""

from __future__ import annotations

from enum import StrEnum

from archive.keystore.recording_keys import recording_keys
from archive.store.current import store

from .models import Recording, State


class RecordingState(StrEnum):
    """Where a recording is, and whether it can be heard."""

    ARRIVING = "arriving"
    BOX_RETIRED = "box-retired"
    REFUSED = "refused"
    BEING_SEALED = "being-sealed"
    SEALING_FAILS = "sealing-fails"
    SEALED = "sealed"
    KEY_GONE = "key-gone"
    PACKAGE_GONE = "package-gone"
    DAMAGED = "damaged"


def recording_state(recording: Recording) -> RecordingState:
    """Return the state; of a sealed recording package and key are looked for.

    DAMAGED is never returned here: only reading the package tells.
    """
    if recording.state == State.REFUSED:
        return RecordingState.REFUSED
    if recording.state == State.SEALED:
        return _of_sealed(recording)
    if recording.problem:
        return RecordingState.SEALING_FAILS
    if recording.state == State.CLOSED:
        return RecordingState.BEING_SEALED
    return RecordingState.ARRIVING if recording.box.retired_at is None else RecordingState.BOX_RETIRED


def _of_sealed(recording: Recording) -> RecordingState:
    if not store().exists(recording.package):
        return RecordingState.PACKAGE_GONE
    return RecordingState.SEALED if recording_keys().exists(recording.pk) else RecordingState.KEY_GONE
