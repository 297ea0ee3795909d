"""What a meeting's page says of recordings of it that no box made."""

from __future__ import annotations

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.contributions import Section
from archive.records.meetings.models import Meeting

from .describe import called
from .models import OutsideFiling


def section(meeting: Meeting, reader: User) -> Section | None:
    """Return those that are filed under the meeting, each with its page where the reader may open it."""
    filings = OutsideFiling.objects.filter(meeting=meeting, ended_at=None).select_related("outside")
    rows = [
        (one, called(one.outside), may(reader, Deed.LOOK, Subject.outside(one.outside_id)).allowed)
        for one in filings.defer("outside__index", "outside__statement")
    ]
    if not rows:
        return None
    return Section("Recordings that no box made", "outside_recordings/meeting_section.html", {"rows": rows})
