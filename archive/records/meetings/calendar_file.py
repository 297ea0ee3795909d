"""Calendars from where meetings are planned: iCalendar (RFC 5545) or plain CSV. Pure but for what it is given.

An event names its student by number: in CSV in a column, in iCalendar anywhere in its summary or description, since
that is where the systems that districts use put it. An event that names none, or two, is told and left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal

from archive.records.errors import DeedError
from archive.records.text import FIRST_YEAR, LAST_YEAR, line

from .models import MeetingKind
from .rules import LONGEST

MAX_BYTES: Final = 8 << 20
"""Largest file that is taken, in bytes; a year of a large district is 3 MB."""
MAX_EVENTS: Final = 20_000
"""Most events that are taken at once."""
COLUMNS: Final = ("meeting_id", "student_id", "date", "from", "to", "room", "kind")
"""Columns of a CSV file; `to` and `kind` may be empty."""
Source = Literal["icalendar", "csv"]
_WORD: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class EventRow:
    """A meeting as a calendar has it."""

    source_id: str
    student: str
    """Number of the student."""
    starts_at: datetime
    ends_at: datetime
    place: str
    """A room by its name, or another place."""
    kind: MeetingKind
    cancelled: bool = False


@dataclass(frozen=True)
class Problem:
    """An event that was left out."""

    where: str
    words: str


@dataclass
class PlannedCalendar:
    """All that a calendar says, each by its identifier."""

    source: Source
    events: dict[str, EventRow] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Surroundings:
    """What reading a calendar needs to know of this archive."""

    students: frozenset[str]
    """All student numbers, in lower case."""
    aware: Callable[[datetime], datetime]
    """Puts a time without a zone into the site's."""
    minutes: int
    """How long a meeting is where nothing says so."""


def read_calendar(data: bytes, around: Surroundings) -> PlannedCalendar:
    """Return what a file says; raise DeedError for one that is no calendar, with the remedy."""
    if len(data) > MAX_BYTES:
        raise DeedError(f"The file is larger than {MAX_BYTES >> 20} MB; export a shorter time.", field="file")
    if data.lstrip(b"\xef\xbb\xbf \r\n")[:15].upper() == b"BEGIN:VCALENDAR":
        return _icalendar(data, around)
    return _csv(data, around)


def _icalendar(data: bytes, around: Surroundings) -> PlannedCalendar:
    from icalendar import Calendar  # noqa: PLC0415 - it is large, and only who imports a calendar needs it

    found = PlannedCalendar("icalendar")
    try:
        events = Calendar.from_ical(data).walk("VEVENT")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DeedError("The calendar cannot be read; export it again as iCalendar (.ics).", field="file") from error
    if len(events) > MAX_EVENTS:
        raise DeedError(f"The calendar has more than {MAX_EVENTS} events; export a shorter time.", field="file")
    for number, event in enumerate(events, 1):
        name = str(event.get("uid", ""))[:60] or f"event {number}"
        try:
            row = _event(event, around)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            found.problems.append(Problem(name, str(error)))
            continue
        found.events[row.source_id] = row
    return found


def _event(event: Mapping[str, Any], around: Surroundings) -> EventRow:
    uid = line(str(event.get("uid", "")))
    if not uid or len(uid) > 200:
        raise ValueError("it has no UID, or one longer than 200 characters, so it could not be found again")
    recurrence = event.get("recurrence-id")
    if event.get("rrule") is not None:
        raise ValueError("it repeats; plan each meeting as an event of its own")
    starts = _moment(event.get("dtstart"), around)
    end = event.get("dtend")
    duration = event.get("duration")
    if end is not None:
        ends = _moment(end, around)
    else:
        ends = starts + (duration.dt if duration is not None else timedelta(minutes=around.minutes))
    _check_times(starts, ends)
    text = f"{event.get('summary', '')} {event.get('description', '')}"
    numbers = {word.lower() for word in _WORD.findall(text)} & around.students
    if len(numbers) != 1:
        raise ValueError(
            "it names no student's number" if not numbers else "it names several students; plan one event for each"
        )
    return EventRow(
        source_id=uid if recurrence is None else f"{uid} {_moment(recurrence, around):%Y%m%dT%H%M%S%z}",
        student=numbers.pop(),
        starts_at=starts,
        ends_at=ends,
        place=line(str(event.get("location", "")))[:200],
        kind=_kind(str(event.get("summary", ""))),
        cancelled=str(event.get("status", "")).upper() == "CANCELLED",
    )


def _moment(value: Any, around: Surroundings) -> datetime:
    if value is None:
        raise ValueError("it has no begin")
    when = value.dt
    if not isinstance(when, datetime):
        raise ValueError("it lasts whole days; a meeting has a time")  # noqa: TRY004 - what the file says is wrong
    return when if when.tzinfo is not None else around.aware(when)


def _check_times(starts: datetime, ends: datetime) -> None:
    if ends <= starts:
        raise ValueError("it does not end after its begin")
    if ends - starts > LONGEST:
        raise ValueError("it lasts more than 12 hours; no meeting is planned longer")
    if not FIRST_YEAR < starts.year < LAST_YEAR:
        raise ValueError(f"it is not between {FIRST_YEAR} and {LAST_YEAR}")


def _kind(text: str) -> MeetingKind:
    upper = text.upper()
    if "504" in upper:
        return MeetingKind.SECTION_504
    return MeetingKind.IEP if "IEP" in upper else MeetingKind.OTHER


def _csv(data: bytes, around: Surroundings) -> PlannedCalendar:
    found = PlannedCalendar("csv")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeedError("The file is not UTF-8. Save it again as 'CSV UTF-8'.", field="file") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    try:
        header = [name.strip() for name in reader.fieldnames or []]
        if set(header) != set(COLUMNS):
            raise DeedError(f"The first line must name: {', '.join(COLUMNS)}.", field="file")
        reader.fieldnames = header
        for number, row in enumerate(reader):
            if number >= MAX_EVENTS:
                raise DeedError(f"The file has more than {MAX_EVENTS} rows; export a shorter time.", field="file")
            try:
                one = _csv_row(row, around)
            except (ValueError, TypeError) as error:
                found.problems.append(Problem(f"line {reader.line_num}", str(error)))
                continue
            found.events[one.source_id] = one
    except csv.Error as error:
        raise DeedError(f"Line {reader.line_num}: {error}; it is no CSV file.", field="file") from error
    return found


def _csv_row(row: Mapping[str, str], around: Surroundings) -> EventRow:
    cells = {name: line(row[name] or "")[:200] for name in COLUMNS}
    if not cells["meeting_id"]:
        raise ValueError("meeting_id must not be empty, so that the meeting is found again")
    if cells["student_id"].lower() not in around.students:
        raise ValueError(f"no student here has the number {cells['student_id']!r}")
    try:
        day = date.fromisoformat(cells["date"])
        begin, end = (time.fromisoformat(cells[name]) if cells[name] else None for name in ("from", "to"))
    except ValueError:
        raise ValueError("date must be as 2026-11-24, from and to as 13:05") from None
    if begin is None:
        raise ValueError("from must not be empty")
    starts = around.aware(datetime.combine(day, begin))
    ends = around.aware(datetime.combine(day, end)) if end else starts + timedelta(minutes=around.minutes)
    _check_times(starts, ends)
    return EventRow(cells["meeting_id"], cells["student_id"].lower(), starts, ends, cells["room"], _kind(cells["kind"]))
