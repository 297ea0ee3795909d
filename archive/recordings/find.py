"""Finding a recording, and telling a box about it."""

from __future__ import annotations

from collections.abc import Container

from django.db.models import Exists, OuterRef

from appliance.contract.errors import NotEnrolledError, PlainSightError, UnknownRecordingError
from appliance.contract.status import UploadState
from archive.access.scopes import Reach, recordings_in

from .models import Recording, State


def find(recording: str, *, lock: bool = False) -> Recording:
    """Return the recording; raise UnknownRecordingError. `lock` keeps others away until the transaction ends."""
    rows = Recording.objects.select_for_update(of=("self",)) if lock else Recording.objects
    row = rows.select_related("box__successor", "room").filter(pk=recording).first()
    if row is None:
        raise UnknownRecordingError(f"the archive has no recording {recording[:32]!r}; send its header first")
    return row


def about(reach: Reach) -> Exists:
    """Return the condition that the recording that a row names lies in `reach`, for a table with such a column.

    It is asked row by row: a short list does not look through all recordings.
    """
    return Exists(Recording.objects.filter(recordings_in(reach), pk=OuterRef("recording")))


class DestroyedError(PlainSightError):
    """A recording was destroyed for good."""

    code = "destroyed"
    status = 410


def check_not_destroyed(recording: Recording) -> None:
    """Raise DestroyedError if two people's decision to destroy it was carried out."""
    if recording.destroyed_at is not None:
        raise DestroyedError("this recording was destroyed; its page leads to the certificate")


def check_box_is_believed(recording: Recording, believed: Container[str]) -> None:
    """Raise NotEnrolledError if the recording's box was retired, or the key that signed it was taken away.

    `believed` are the keys that sign what is taken as the box's word.
    """
    if recording.signed_header.box_key not in believed:
        raise NotEnrolledError(
            f"{recording.box_id} was retired; nothing new is taken from it until it is enrolled again"
        )


def upload_state(recording: Recording) -> UploadState:
    """Return what a box may know: how far its recording got."""
    missing: list[int] = []
    if recording.state == State.CLOSED:
        missing += recording.tail.filter(arrived_at=None).order_by("number").values_list("number", flat=True)
    refused = recording.state == State.RECEIVING and recording.box.is_silent
    return UploadState.model_validate(
        {
            "recording": recording.id,
            "state": State.REFUSED.value if refused else recording.state,
            "next_line": recording.next_line,
            "frames": recording.frames,
            "tail_missing": missing,
        }
    )
