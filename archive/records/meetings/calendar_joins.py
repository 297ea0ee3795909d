"""Events of a calendar that are meetings which stand here already, since a notice or a person came first.

Such a meeting goes on, with its notice and whatever else is at it; a second one would take the notice, the opening and
the recordings of one meeting apart. Nothing is guessed: where more than one may be meant, a person is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils import timezone

from archive.records.people.difference import FieldChange
from archive.ui import words

from .calendar_file import EventRow
from .describe import title, where
from .models import Meeting, MeetingKind

NEAR: Final = timedelta(hours=1)
"""How far apart the begins may be that a parent and a calendar say of one meeting."""
APART: Final = "new"
"""The answer that an event is a meeting of its own."""


@dataclass(frozen=True)
class Join:
    """An event that is a meeting which stands here already."""

    source_id: str
    event: EventRow
    meeting: Meeting
    fields: tuple[FieldChange, ...]
    """What of the meeting becomes as the calendar has it."""
    kept: tuple[FieldChange, ...]
    """What stays as people changed it here."""
    unsaid: frozenset[str]
    """Columns that stay, since the calendar says nothing of them."""

    @property
    def words(self) -> str:
        """Which meeting it is."""
        return f"{self.meeting.student}, {title(self.meeting)}: joins {named(self.meeting)}"


@dataclass(frozen=True)
class Question:
    """An event that may be one of several meetings here, or one of which nobody can tell: a person says which."""

    source_id: str
    event: EventRow
    meetings: tuple[Meeting, ...]

    @property
    def name(self) -> str:
        """The name of its field: whatever stands in an identifier, this is a plain word."""
        return f"event-{hashlib.sha256(self.source_id.encode()).hexdigest()[:16]}"

    @property
    def words(self) -> str:
        """What is asked."""
        begin, end = timezone.localtime(self.event.starts_at), timezone.localtime(self.event.ends_at)
        said = f"{self.event.kind.label}, {words.from_to(begin, end)}, {self.event.place or 'no place named'}"
        return f"{self.meetings[0].student}: which meeting is the calendar's {said}?"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What may be answered; leaving it open takes nothing in."""
        here = [(str(one.pk), f"{title(one)}: {named(one)}") for one in self.meetings]
        return [("", "not decided yet: leave it out"), *here, (APART, "another meeting")]


def named(meeting: Meeting) -> str:
    """Return what such a meeting is called: by its notice, if it has one."""
    received = [one.received_at for one in meeting.notices.all()]
    if not received:
        return "the meeting that was planned here by hand"
    return f"the meeting of the notice of {words.day(timezone.localtime(min(received)))}"


def matching(
    events: Mapping[str, EventRow], here: Iterable[Meeting]
) -> tuple[dict[str, Meeting], dict[str, tuple[Meeting, ...]]]:
    """Return which meeting each event is, and between which ones a person must decide.

    An event and a meeting that begin at the same moment are the same: a student is at one meeting at a time. Else they
    begin within an hour of each other, in the same place as far as both name one, and nothing else fits either. What
    else the student has on that day is asked about. A canceled event is nobody's meeting.
    """
    rows: dict[tuple[str, date], list[Meeting]] = {}
    for row in here:
        rows.setdefault((row.student.local_id.lower(), _day(row.starts_at)), []).append(row)
    days: dict[tuple[str, date], list[str]] = {}
    for pk, event in events.items():
        if not event.cancelled and (key := (event.student, _day(event.starts_at))) in rows:
            days.setdefault(key, []).append(pk)
    found: dict[str, Meeting] = {}
    asked: dict[str, tuple[Meeting, ...]] = {}
    for key, pks in days.items():
        left = rows[key]
        for fits in (_at_once, _near):
            mine = _pairs({pk: events[pk] for pk in pks if pk not in found}, left, fits)
            found |= mine
            left = [row for row in left if row not in mine.values()]
        asked |= {pk: tuple(left) for pk in pks if left and pk not in found}
    return found, asked


def unsaid(event: EventRow, row: Meeting) -> frozenset[str]:
    """Return the columns of a meeting of which its event says nothing, though people did."""
    kind = {"kind"} if event.kind == MeetingKind.OTHER and row.kind != MeetingKind.OTHER else set()
    place = {"room" if row.room else "place"} if not event.place and where(row) else set()
    return frozenset(kind | place)


def _pairs(
    events: Mapping[str, EventRow], rows: Iterable[Meeting], fits: Callable[[EventRow, Meeting], bool]
) -> dict[str, Meeting]:
    """Return the events that fit one meeting alone, which fits no other event."""
    fitting = {pk: [row for row in rows if fits(event, row)] for pk, event in events.items()}
    return {
        pk: found[0]
        for pk, found in fitting.items()
        if len(found) == 1 and sum(found[0] in others for others in fitting.values()) == 1
    }


def _at_once(event: EventRow, row: Meeting) -> bool:
    return event.starts_at == row.starts_at


def _near(event: EventRow, row: Meeting) -> bool:
    places = {one.casefold() for one in (event.place, where(row)) if one}
    return abs(event.starts_at - row.starts_at) <= NEAR and len(places) < 2


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()
