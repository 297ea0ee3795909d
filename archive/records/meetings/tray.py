"""Recordings that wait to be filed, and which meetings they may be of."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from archive.access.scopes import Reach, recordings_in
from archive.recordings.models import Recording
from archive.records.people.search import reached

from .models import WAITS, Filing, Meeting
from .rules import EARLY, LONGEST, OVERRUN, fitting

LOOKED_BACK: Final = timedelta(days=90)
"""How far back recordings are looked for that nobody filed."""
SHOWN: Final = 200
"""Most recordings that the tray shows at once."""


def fitting_meetings(recording: Recording) -> list[Meeting]:
    """Return the meetings that a recording may be of: in the room where its box stood, at the time of its press.

    None for a recording whose room or time nobody knows: a clock in 1970 fits no meeting.
    """
    if recording.room_id is None or not recording.dated:
        return []
    began = recording.created_at
    ended = began + timedelta(seconds=max(recording.seconds, 1.0))
    near = Meeting.objects.select_related("student", "room").filter(
        room=recording.room_id,
        cancelled_at=None,
        # without a first moment, all meetings of the room would be looked through
        starts_at__gt=began - OVERRUN - LONGEST,
        starts_at__lt=ended + EARLY,
        ends_at__gt=began - OVERRUN,
    )
    return fitting(near, began, ended)


def unfiled() -> QuerySet[Recording]:
    """Return the recordings of the last months of which no filing is left, newest first."""
    # asked of each of the last months' recordings: all open filings at once would be those of all years
    filed = Filing.objects.filter(recording=OuterRef("pk"), ended_at=None)
    return (
        Recording.objects.filter(~Exists(filed), listed_at__gte=timezone.now() - LOOKED_BACK)
        .select_related("room")
        .defer("header", "receipt")
    )


def to_file(reach: Reach) -> QuerySet[Recording]:
    """Return those of them that lie in `reach`, which is that of Deed.FILE."""
    return unfiled().filter(recordings_in(reach))


def waiting(reach: Reach) -> QuerySet[Filing]:
    """Return the filings that wait for a second person, as far as their students lie in `reach`, that of Deed.FILE.

    One waits to be confirmed, or for somebody who agrees that it is wrong.
    """
    return (
        Filing.objects.filter(WAITS)
        .filter(reached(reach, "meeting__student"))
        .select_related("recording", "recording__room", "meeting", "meeting__student", "meeting__room", "filed_by")
    )


def filings_in(reach: Reach) -> QuerySet[Filing]:
    """Return the filings that hold and lie in `reach`: a court order bars also from one that nobody confirmed."""
    return Filing.objects.filter(reached(reach, "meeting__student"), ended_at=None)
