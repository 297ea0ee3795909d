"""What pages say of a meeting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from archive.recordings.recording_state import is_flawed
from archive.ui import words
from archive.ui.signs import SignCode

from .models import Filing, Meeting, Notice, ParentRecords
from .rules import NoticeTiming, RecordingDuty, notice_timing, recording_duty

_DUTY: Final[dict[RecordingDuty, tuple[SignCode | None, str]]] = {
    RecordingDuty.NONE: (None, ""),
    RecordingDuty.AHEAD: ("working", "A parent will record: press the button on the box when it begins"),
    RecordingDuty.MET: ("ready", "A parent recorded, and so did the district"),
    RecordingDuty.UNMET: ("at-fault", "A parent recorded, and no box did: the incident record is missing"),
    RecordingDuty.FLAWED: (
        "at-fault",
        "A parent recorded, and the district's recording has gaps: the incident record is missing",
    ),
    RecordingDuty.EXPLAINED: (
        "attention",
        "The district's recording is missing or has gaps; the incident record says why",
    ),
}


_UNMET_NOW: Final = "A parent records, and no box does: press the button on the box now"
"""What is said of an unmet duty while the meeting goes on: a late recording is better than none."""


@dataclass(frozen=True)
class MeetingWords:
    """A meeting in words."""

    meeting: Meeting
    title: str
    """As a person would say it: `IEP meeting, Tue Nov 24 2026, 1:05 to 2:20 pm CST, Room 12`."""
    times: str
    """From when to when, on a page that names the day."""
    where: str
    """The room or the place."""
    duty: RecordingDuty
    sign: SignCode | None
    duty_words: str
    recordings: int
    """How many recordings are filed under it."""


def where(meeting: Meeting) -> str:
    """Return where a meeting is."""
    return meeting.room.name if meeting.room else meeting.place


def title(meeting: Meeting) -> str:
    """Return what a person calls a meeting; no student's name is in it."""
    begin, end = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    return f"{meeting.get_kind_display()}, {words.from_to(begin, end)}, {where(meeting)}"


def times(meeting: Meeting) -> str:
    """Return from when to when a meeting is, for a page that names the day."""
    begin, end = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    return f"{words.time_of_day(begin, seconds=False)} to {words.time_of_day(end, seconds=False)}"


def expects_parent(meeting: Meeting) -> bool:
    """Tell whether a parent records, or gave notice that they will and did not say otherwise since."""
    if meeting.parent_records:
        return meeting.parent_records == ParentRecords.YES
    return bool(meeting.notices.all())


def _in_use(meeting: Meeting) -> list[Filing]:
    return [one for one in meeting.filings.all() if one.ended_at is None and one.end_asked_at is None]


def meeting_words(meeting: Meeting, now: datetime | None = None) -> MeetingWords:
    """Return a meeting in words; its notices and filings are best fetched with it."""
    filings, now = _in_use(meeting), now or timezone.now()
    duty = recording_duty(
        parent_records=expects_parent(meeting),
        starts_at=meeting.starts_at,
        recorded=bool(filings)
        or any(event.recording_id for event in meeting.events.all())
        or meeting.recording_destroyed,
        flawed=any(is_flawed(one.recording) for one in filings),
        explained=hasattr(meeting, "incident"),
        cancelled=meeting.cancelled_at is not None,
        now=now,
    )
    sign, said = _DUTY[duty]
    if duty == RecordingDuty.UNMET and now < meeting.ends_at:
        said = _UNMET_NOW
    return MeetingWords(meeting, title(meeting), times(meeting), where(meeting), duty, sign, said, len(filings))


@dataclass(frozen=True)
class NoticeWords:
    """A notice in words."""

    notice: Notice
    late: bool
    """By the reading that the district set."""
    by_time: str
    """How long before the meeting's time it came."""
    by_day: str
    """How long before its day began."""
    reading: str


def notice_words(notice: Notice) -> NoticeWords:
    """Return a notice in words, with the 24 hours read both ways."""
    zone = timezone.get_current_timezone()
    timing: NoticeTiming = notice_timing(notice.received_at, notice.meeting_at, zone)
    reading = settings.ARCHIVE.records.notice_reading
    return NoticeWords(
        notice,
        timing.late(reading),
        _before(timing.before_time.total_seconds(), "the meeting"),
        _before(timing.before_day.total_seconds(), "its day began"),
        "the meeting's time" if reading == "time" else "the begin of its day",
    )


def _before(seconds: float, what: str) -> str:
    side = "before" if seconds >= 0 else "after"
    hours, minutes = divmod(int(abs(seconds)) // 60, 60)
    said = [words.count(hours, "hour", "hours")] if hours else []
    if minutes or not hours:
        said.append(words.count(minutes, "minute", "minutes"))
    return f"{' '.join(said)} {side} {what}"


def open_filings(filings: Iterable[Filing]) -> list[Filing]:
    """Return those that were not ended."""
    return [one for one in filings if one.ended_at is None]
