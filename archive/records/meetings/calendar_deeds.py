"""Taking in a calendar: first a dry run that shows the difference, then just that file, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from appliance.contract.times import wall
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import NOTHING, Actor, Subject
from archive.custody.log import Detail, record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.letters.deeds import mark_overtaken
from archive.records.letters.models import LetterKind
from archive.records.people.difference import Difference, Known, difference
from archive.records.people.models import ImportRun, Student
from archive.rooms.models import Room
from archive.ui import words

from .calendar_file import EventRow, PlannedCalendar, Problem, Surroundings, read_calendar
from .calendar_joins import APART, Join, Question, matching, unsaid
from .custody_kinds import CALENDAR, MEETING_JOINED
from .deeds import keep_kind
from .describe import where
from .models import Meeting

_PREFIX = "calendar-"
"""Sources of imports of calendars in the table of imports."""
_EVERYTHING: Final = frozenset({"kind", "starts_at", "ends_at", "place", "cancelled"})
_IN_THE_LETTER: Final = frozenset({"kind", "place", "starts_at", "cancelled"})
"""What the acknowledgment of a notice says of its meeting, as a calendar names it."""


@dataclass(frozen=True)
class CalendarDifference:
    """What a calendar would change here."""

    calendar: PlannedCalendar
    meetings: Difference[EventRow]
    gone: list[Meeting]
    """Meetings to come that an earlier calendar had, and this one has not: a person cancels them."""
    joined: list[Join] = field(default_factory=list)
    """Events that are meetings which stand here already, since a notice or a person came first."""
    asked: list[Question] = field(default_factory=list)
    """Events of which a person must say which meeting they are; until then they are left out."""

    def counts(self) -> dict[str, int]:
        """Return how many events each part of it holds."""
        found = self.meetings
        return {
            "added": len(found.added),
            "changed": len(found.changed),
            "kept": len(found.kept) + sum(bool(one.kept) for one in self.joined),
            "missing": len(found.missing),
            "refused": len(self.calendar.problems),
            "joined": len(self.joined),
            "asked": len(self.asked),
        }


def surroundings() -> Surroundings:
    """Return what reading a calendar needs to know of this archive."""
    numbers = Student.objects.exclude(local_id="").values_list("local_id", flat=True)
    return Surroundings(
        frozenset(number.lower() for number in numbers), timezone.make_aware, settings.ARCHIVE.records.meeting_minutes
    )


def look_at(data: bytes, *, by: User) -> tuple[ImportRun, CalendarDifference]:
    """Keep a file for the import, and return what it would change. Raises DeedError for one that is no calendar."""
    found = compare(read_calendar(data, surroundings()))
    with one_deed():
        run = ImportRun.objects.create(
            source=_PREFIX + found.calendar.source,
            sha256=hashlib.sha256(data).hexdigest(),
            data=data,
            by=by,
            **found.counts(),
        )
    return run, found


def take_in(pk: UUID, answers: Mapping[str, str] | None = None, *, by: User) -> ImportRun:
    """Take in the file of a dry run, compared anew with what is here by now. Meetings are moved, never deleted.

    `answers`: by event, which meeting it is, as the dry run asked; what nobody answered is left out.
    """
    with one_deed():
        run = ImportRun.objects.select_for_update().filter(pk=pk, source__startswith=_PREFIX).first()
        if run is None:
            raise UnknownRecordError("there is no such import here")
        if run.taken_at is not None or run.data is None:
            raise DeedError("This calendar was taken in already; choose a newer file.")
        found = compare(read_calendar(bytes(run.data), surroundings()), answers)
        counts = found.counts()
        detail: dict[str, Detail] = {"source": run.source, "sha256": run.sha256, **counts}
        record(CALENDAR, actor=Actor.user(by.pk), subject=NOTHING, **detail)
        _apply(found, by)
        for name, count in counts.items():
            setattr(run, name, count)
        run.taken_at, run.data = timezone.now(), None
        run.save()
    return run


def compare(calendar: PlannedCalendar, answers: Mapping[str, str] | None = None) -> CalendarDifference:
    """Return what `calendar` would change. What people changed here by hand since is kept: they know better."""
    rows, now = list(Meeting.objects.filter(source=calendar.source).select_related("student", "room")), timezone.now()
    named = set(calendar.events)
    gone = [row for row in rows if row.source_id not in named and row.cancelled_at is None and row.starts_at > now]
    known = {row.source_id: _known(row) for row in rows}
    moved = [pk for pk, one in calendar.events.items() if pk in known and known[pk].values["student"] != one.student]
    for pk in moved:
        calendar.problems.append(Problem(pk, "it names another student than before; a meeting keeps its student"))
        del calendar.events[pk]
    new = {pk: one for pk, one in calendar.events.items() if pk not in known}
    same, open_ = matching(new, _made_here(new.values()))
    same, open_ = _answered(same, open_, answers or {})
    rest = {pk: one for pk, one in calendar.events.items() if pk not in same and pk not in open_}
    meetings = difference(known, rest, {pk: _values(one) for pk, one in rest.items()})
    joined = [_join(pk, calendar.events[pk], row) for pk, row in same.items()]
    asked = [Question(pk, calendar.events[pk], found) for pk, found in open_.items()]
    return CalendarDifference(calendar, meetings, gone, joined, asked)


def _made_here(events: Collection[EventRow]) -> list[Meeting]:
    """Return the meetings near the times of `events` that a notice or a person made, and no calendar has."""
    begins = [one.starts_at for one in events]
    if not begins:
        return []
    day = timedelta(days=1)
    rows = Meeting.objects.filter(
        source="", cancelled_at=None, starts_at__gt=min(begins) - day, starts_at__lt=max(begins) + day
    )
    return list(rows.exclude(student__local_id="").select_related("student", "room").prefetch_related("notices"))


def _answered(
    same: dict[str, Meeting], asked: dict[str, tuple[Meeting, ...]], answers: Mapping[str, str]
) -> tuple[dict[str, Meeting], dict[str, tuple[Meeting, ...]]]:
    """Return both with what a person said; an event that is a meeting of its own is in neither."""
    for pk, answer in answers.items():
        chosen = next((one for one in asked.get(pk, ()) if str(one.pk) == answer), None)
        if pk not in asked or (chosen is None and answer != APART):
            raise DeedError("What is planned here changed meanwhile. Look at the calendar again.")
        if chosen is not None and chosen in same.values():
            raise DeedError("Two events cannot be the same meeting.")
        if chosen is not None:
            same = {**same, pk: chosen}
    return same, {pk: found for pk, found in asked.items() if pk not in answers}


def _known(row: Meeting, kept: frozenset[str] = frozenset()) -> Known:
    values = {
        "student": row.student.local_id.lower(),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "place": where(row),
        "kind": row.kind,
        "cancelled": row.cancelled_at is not None,
    }
    called = f"{row.student}, {words.day_and_time(timezone.localtime(row.starts_at))}"
    return Known(values, _corrected({*row.corrected, *kept}), called)


def _values(event: EventRow) -> dict[str, Any]:
    return {
        "student": event.student,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "place": event.place,
        "kind": event.kind.value,
        "cancelled": event.cancelled,
    }


def _join(pk: str, event: EventRow, row: Meeting) -> Join:
    silent = unsaid(event, row)
    found = difference({pk: _known(row, silent)}, {pk: event}, {pk: _values(event)})
    changed, kept = (part[0].fields if part else () for part in (found.changed, found.kept))
    return Join(pk, event, row, changed, kept, silent)


def _corrected(columns: set[str]) -> frozenset[str]:
    """Return what a calendar leaves as people changed it here; a begin and its end belong together."""
    by_column = {
        "starts_at": {"starts_at", "ends_at"},
        "ends_at": {"starts_at", "ends_at"},
        "room": {"place"},
        "cancelled_at": {"cancelled"},
    }
    return frozenset(name for column in columns for name in by_column.get(column, {column}))


def _apply(found: CalendarDifference, by: User) -> None:
    source, now = found.calendar.source, timezone.now()
    rooms = {room.name.casefold(): room for room in Room.objects.all()}
    joins = {one.meeting.pk: one for one in found.joined}
    locked = list(Meeting.objects.select_for_update().filter(Q(source=source) | Q(pk__in=joins)))
    here = {joins[row.pk].source_id if row.pk in joins else row.source_id: row for row in locked}
    changed = []

    def change(pk: str, names: set[str]) -> None:
        meeting, one = here[pk], found.calendar.events[pk]
        if "starts_at" in names:
            meeting.moved_from = meeting.starts_at
        if "kind" in names:
            keep_kind(meeting, one.kind)
        if names & _IN_THE_LETTER:
            mark_overtaken(LetterKind.ACKNOWLEDGMENT, Subject.meeting(meeting.pk), by=by)
        _take_over(meeting, one, names, rooms, now)
        meeting.version += 1
        changed.append(meeting)

    for join in found.joined:
        names, meeting = {one.name for one in join.fields}, here[join.source_id]
        _enter_join(join, meeting, source, names, by)
        meeting.source, meeting.source_id = source, join.source_id
        meeting.corrected = sorted({*meeting.corrected, *join.unsaid})
        change(join.source_id, names)
    for one in found.meetings.changed:
        change(one.source_id, {part.name for part in one.fields})
    numbers = {one.student for one in found.meetings.added.values()}
    students = {
        student.local_id.lower(): student
        for student in Student.objects.exclude(local_id="")
        if student.local_id.lower() in numbers
    }
    added = []
    for pk, event in found.meetings.added.items():
        meeting = Meeting(source=source, source_id=pk, student=students[event.student])
        _take_over(meeting, event, _EVERYTHING, rooms, now)
        added.append(meeting)
    Meeting.objects.bulk_create(added, batch_size=500)
    fields = ["kind", "kinds_before", "starts_at", "ends_at", "room", "place", "cancelled_at", "moved_from", "version"]
    fields += ["source", "source_id", "corrected"]
    Meeting.objects.bulk_update(changed, fields, batch_size=500)


def _take_over(
    meeting: Meeting, event: EventRow, names: set[str] | frozenset[str], rooms: Mapping[str, Room], now: datetime
) -> None:
    for name in names & {"kind", "starts_at", "ends_at"}:
        setattr(meeting, name, getattr(event, name))
    if "place" in names:
        meeting.room = rooms.get(event.place.casefold())
        meeting.place = "" if meeting.room else event.place
    if "cancelled" in names:
        meeting.cancelled_at = (meeting.cancelled_at or now) if event.cancelled else None


def _enter_join(join: Join, meeting: Meeting, source: str, names: set[str], by: User) -> None:
    """Enter that a meeting goes on as a calendar's: when it is from then on, as far as the calendar moves it."""
    event = join.event
    record(
        MEETING_JOINED,
        actor=Actor.user(by.pk),
        subject=Subject.meeting(meeting.pk),
        source=source,
        fields=" ".join(sorted(names)),
        starts=wall(event.starts_at if "starts_at" in names else meeting.starts_at),
        ends=wall(event.ends_at if "ends_at" in names else meeting.ends_at),
    )
