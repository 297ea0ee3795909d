"""What a meeting's page says of recordings of it that no box made."""

from __future__ import annotations

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.contributions import Section
from archive.records.meetings.models import Meeting

from .describe import called
from .models import OutsideFiling, OutsideRecording
from .reach import reached_outside


def section(meeting: Meeting, reader: User) -> Section | None:
    """Return those that are filed under the meeting, each with its page where the reader may open it."""
    filings = OutsideFiling.objects.filter(meeting=meeting, ended_at=None).select_related("outside")
    rows = list(filings.defer("outside__index", "outside__statement"))
    if not rows:
        return None
    seen = OutsideRecording.objects.filter(
        reached_outside(reader, Deed.LOOK), pk__in=[one.outside_id for one in rows]
    ).values_list("pk", flat=True)
    opened = set(seen)
    shown = [(one, called(one.outside), one.outside_id in opened) for one in rows]
    return Section("Recordings that no box made", "outside_recordings/meeting_section.html", {"rows": shown})
