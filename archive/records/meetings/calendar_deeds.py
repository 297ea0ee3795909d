"""Taking in a calendar: first a dry run that shows the difference, then just that file, in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

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
from .custody_kinds import CALENDAR
from .deeds import keep_kind
from .models import Meeting

_PREFIX = "calendar-"
"""Sources of imports of calendars in the table of imports."""


@dataclass(frozen=True)
class CalendarDifference:
    """What a calendar would change here."""

    calendar: PlannedCalendar
    meetings: Difference[EventRow]
    gone: list[Meeting]
    """Meetings to come that an earlier calendar had, and this one has not: a person cancels them."""

    def counts(self) -> dict[str, int]:
        """Return how many events each part of it holds."""
        found = self.meetings
        return {
            "added": len(found.added),
            "changed": len(found.changed),
            "kept": len(found.kept),
            "missing": len(found.missing),
            "refused": len(self.calendar.problems),
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


def take_in(pk: UUID, *, by: User) -> ImportRun:
    """Take in the file of a dry run, compared anew with what is here by now. Meetings are moved, never deleted."""
    with one_deed():
        run = ImportRun.objects.select_for_update().filter(pk=pk, source__startswith=_PREFIX).first()
        if run is None:
            raise UnknownRecordError("there is no such import here")
        if run.taken_at is not None or run.data is None:
            raise DeedError("This calendar was taken in already; choose a newer file.")
        found = compare(read_calendar(bytes(run.data), surroundings()))
        counts = found.counts()
        detail: dict[str, Detail] = {"source": run.source, "sha256": run.sha256, **counts}
        record(CALENDAR, actor=Actor.user(by.pk), subject=NOTHING, **detail)
        _apply(found, by)
        for name, count in counts.items():
            setattr(run, name, count)
        run.taken_at, run.data = timezone.now(), None
        run.save()
    return run


def compare(calendar: PlannedCalendar) -> CalendarDifference:
    """Return what `calendar` would change. What people changed here by hand since is kept: they know better."""
    rows, now = list(Meeting.objects.filter(source=calendar.source).select_related("student", "room")), timezone.now()
    named = set(calendar.events)
    gone = [row for row in rows if row.source_id not in named and row.cancelled_at is None and row.starts_at > now]
    known = {
        row.source_id: Known(
            {
                "student": row.student.local_id.lower(),
                "starts_at": row.starts_at,
                "ends_at": row.ends_at,
                "place": row.room.name if row.room else row.place,
                "kind": row.kind,
                "cancelled": row.cancelled_at is not None,
            },
            _corrected(row),
            f"{row.student}, {words.day_and_time(timezone.localtime(row.starts_at))}",
        )
        for row in rows
    }
    moved = [pk for pk, one in calendar.events.items() if pk in known and known[pk].values["student"] != one.student]
    for pk in moved:
        calendar.problems.append(Problem(pk, "it names another student than before; a meeting keeps its student"))
        del calendar.events[pk]
    values: dict[str, dict[str, Any]] = {
        pk: {
            "student": one.student,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "place": one.place,
            "kind": one.kind.value,
            "cancelled": one.cancelled,
        }
        for pk, one in calendar.events.items()
    }
    return CalendarDifference(calendar, difference(known, calendar.events, values), gone)


def _corrected(row: Meeting) -> frozenset[str]:
    """Return what a calendar leaves as people changed it here; a begin and its end belong together."""
    by_column = {
        "starts_at": {"starts_at", "ends_at"},
        "ends_at": {"starts_at", "ends_at"},
        "room": {"place"},
        "cancelled_at": {"cancelled"},
    }
    return frozenset(name for column in row.corrected for name in by_column.get(column, {column}))


def _apply(found: CalendarDifference, by: User) -> None:
    source, now = found.calendar.source, timezone.now()
    wanted = {
        pk: found.calendar.events[pk]
        for pk in (*found.meetings.added, *(one.source_id for one in found.meetings.changed))
    }
    numbers = {one.student for one in wanted.values()}
    students = {
        student.local_id.lower(): student
        for student in Student.objects.exclude(local_id="")
        if student.local_id.lower() in numbers
    }
    rooms = {room.name.casefold(): room for room in Room.objects.all()}
    here = {row.source_id: row for row in Meeting.objects.select_for_update().filter(source=source)}
    differs = {one.source_id: {field.name for field in one.fields} for one in found.meetings.changed}
    everything = {"kind", "starts_at", "ends_at", "place", "cancelled"}
    added, changed = [], []
    for pk, one in wanted.items():
        meeting = here.get(pk) or Meeting(source=source, source_id=pk, student=students[one.student])
        names = differs.get(pk, everything)
        if pk in here:
            if "starts_at" in names:
                meeting.moved_from = meeting.starts_at
            meeting.version += 1
            changed.append(meeting)
            if names & {"kind", "place", "starts_at", "cancelled"}:
                mark_overtaken(LetterKind.ACKNOWLEDGMENT, Subject.meeting(meeting.pk), by=by)
        else:
            added.append(meeting)
        if pk in here and "kind" in names:
            keep_kind(meeting, one.kind)
        for name in names & {"kind", "starts_at", "ends_at"}:
            setattr(meeting, name, getattr(one, name))
        if "place" in names:
            meeting.room = rooms.get(one.place.casefold())
            meeting.place = "" if meeting.room else one.place
        if "cancelled" in names:
            meeting.cancelled_at = (meeting.cancelled_at or now) if one.cancelled else None
    Meeting.objects.bulk_create(added, batch_size=500)
    fields = ["kind", "kinds_before", "starts_at", "ends_at", "room", "place", "cancelled_at", "moved_from", "version"]
    Meeting.objects.bulk_update(changed, fields, batch_size=500)
