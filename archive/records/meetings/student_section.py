"""What a student's page says of the meetings and their recordings: the way from a name to what was said."""

from __future__ import annotations

from typing import Final

from archive.access.decisions import reach_of, reached_recordings
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.contributions import Section
from archive.recordings.models import Recording
from archive.records.people.models import Student
from archive.records.people.search import reached

from .describe import meeting_words
from .search import meetings_in

SHOWN: Final = 30
"""Most meetings on the page: those of several school years."""


def section(student: Student, reader: User) -> Section | None:
    """Return the last meetings, each with the recordings that are filed under it, as far as `reader` reaches them."""
    reach = reach_of(reader, Deed.MEETINGS)
    if not reach.scopes or not Student.objects.filter(reached(reach), pk=student.pk).exists():
        return None
    rows = list(meetings_in(reach).filter(student=student).order_by("-starts_at", "pk")[: SHOWN + 1])
    filed = {
        row.pk: [one for one in row.filings.all() if one.ended_at is None and one.end_asked_at is None] for row in rows
    }
    about = {one.recording_id for filings in filed.values() for one in filings}
    seen = Recording.objects.filter(reached_recordings(reader, Deed.LOOK), pk__in=about)
    opened = set(seen.values_list("pk", flat=True)) if about else set()
    shown = [
        (meeting_words(row), [(one.recording, one.confirmed_at, one.recording_id in opened) for one in filed[row.pk]])
        for row in rows[:SHOWN]
    ]
    context = {"meetings": shown, "more": len(rows) > SHOWN, "most": SHOWN}
    return Section("Meetings and recordings", "meetings/student_section.html", context)
