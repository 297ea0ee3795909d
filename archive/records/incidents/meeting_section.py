"""What a meeting's page says of its incident record."""

from __future__ import annotations

from archive.accounts.models import User
from archive.recordings.contributions import Section
from archive.records.meetings.models import Meeting

from .describe import facts_of
from .models import Incident


def section(meeting: Meeting, _reader: User) -> Section | None:
    """Return the incident record, if there is one; the page itself asks for it where it is missing."""
    row = Incident.objects.filter(meeting=meeting).first()
    if row is None:
        return None
    context = {"meeting": meeting.pk, "facts": facts_of(row)}
    return Section("Incident record", "incidents/meeting_section.html", context)
