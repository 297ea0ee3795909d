"""Where in a running recording a moment is: from what the room's box last reported, else counted from the press."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from appliance.contract.status import RecorderStatus
from archive.devices.models import BoxStatus
from archive.recordings.models import Recording
from archive.rooms.models import Placement

from .models import Meeting

NEAR: Final = timedelta(seconds=40)
"""How far from a box's report a moment may be to be counted from it: boxes report at least every 35 s."""
LONGEST: Final = timedelta(hours=12)
"""No recording is longer."""


@dataclass(frozen=True)
class AudioPlace:
    """A place in a recording."""

    recording: str
    frame: int | None
    """Frames from its begin; None where only the recording is known."""


def place_at(meeting: Meeting, moment: datetime) -> AudioPlace | None:
    """Return where in the recording of the meeting's room `moment` is, or None if none ran there as far as is known."""
    if meeting.room_id is None:
        return None
    placements = Placement.objects.filter(room=meeting.room_id).at(moment)
    boxes = list(placements.values_list("box", flat=True))
    for status in BoxStatus.objects.filter(box__in=boxes):
        place = _reported(status, moment)
        if place is not None and Recording.objects.filter(pk=place.recording).exists():
            return place
    recording = _running(meeting, moment)
    if recording is None:
        return None
    return AudioPlace(recording.pk, _counted(recording, moment))


def _reported(status: BoxStatus, moment: datetime) -> AudioPlace | None:
    """Count from the box's last report, where that is near enough and says that it records."""
    if status.heard_at is None or not status.recorder_live or abs(moment - status.heard_at) > NEAR:
        return None
    try:
        said = RecorderStatus.model_validate(status.recorder)
    except ValidationError:
        return None
    if said.recording is None or said.state not in {"recording", "paused", "ending"}:
        return None
    elapsed = (moment - status.heard_at).total_seconds() if said.state != "paused" else 0.0
    return AudioPlace(said.recording, max(said.frames + round(elapsed * said.rate), 0))


def _running(meeting: Meeting, moment: datetime) -> Recording | None:
    """Return the recording of the meeting's room that had begun by `moment` and had not ended."""
    near = Recording.objects.filter(
        room=meeting.room_id, dated=True, created_at__lte=moment, created_at__gt=moment - LONGEST
    ).order_by("-created_at")
    recording = near.first()
    if recording is None:
        return None
    end = recording.created_at + timedelta(seconds=recording.seconds)
    return recording if recording.closed_at is None or moment <= end else None


def _counted(recording: Recording, moment: datetime) -> int | None:
    """Count from the press; a pause before the moment makes it late, so the ledger corrects it where it is shown."""
    frame = round((moment - recording.created_at).total_seconds() * recording.rate)
    return min(max(frame, 0), recording.frames) if recording.closed_at else max(frame, 0)
