"""What a recording's page says of its meetings: what kind, what was noted, and where it is filed."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.recordings.contributions import Action, Contribution, Note, Reader, Section
from archive.recordings.models import Recording
from archive.recordings.parts import audible
from archive.records.people.search import reached as reached_students

from .describe import title
from .models import Meeting, OpeningEvent, OpeningEventKind
from .reach import in_force


def contribution(recording: Recording, reader: Reader) -> Contribution:
    """Return what `reader` may know: notes of the meetings that this reader reaches, and the deeds of filing."""
    actions = []
    if reader.may(Deed.FILE):
        written = "Says to which meeting it belongs; a second person confirms it, and the log says who did."
        actions.append(Action("File it", reverse("pages:file", args=[recording.pk]), written))
    filings = list(in_force().filter(recording=recording).select_related("meeting", "meeting__room"))
    parts = audible(reader.user, Deed.LOOK, recording.pk)
    if parts is not None:
        firsts = {part.first for part in parts}
        filings = [one for one in filings if (one.first_frame or 0) in firsts]
    if not filings:
        return Contribution(actions=tuple(actions))
    meetings = [one.meeting for one in filings]
    events = OpeningEvent.objects.filter(meeting__in=meetings, recording=recording)
    reached = Q(pk__in=[one.pk for one in meetings]) & reached_students(reach_of(reader.user, Deed.MEETINGS), "student")
    seen = set(Meeting.objects.filter(reached).values_list("pk", flat=True))
    notes = tuple(
        Note(event.frame / recording.rate, _text(event.kind, event.who, event.answer, event.text))
        for event in events
        if event.frame is not None
    )
    shown = [
        (
            title(one),
            reverse("pages:meeting", args=[one.pk]) if one.pk in seen else "",
            one.get_parent_records_display(),
        )
        for one in meetings
    ]
    section = Section(_("Meeting"), "meetings/section.html", {"meetings": shown})
    kind = meetings[0].get_kind_display()
    return Contribution(kind, notes, sections=(section,), actions=tuple(actions))


def _text(kind: str, who: str, answer: str, text: str) -> str:
    said = ", ".join(part for part in (who, answer, text) if part)
    label = str(OpeningEventKind(kind).label)
    return said if kind == OpeningEventKind.NOTE else f"{label}: {said}" if said else label
