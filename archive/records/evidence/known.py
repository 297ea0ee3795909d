"""What the apps below know for the package: the meeting that was recorded, and statements placed with the recording."""

from __future__ import annotations

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appliance.contract.times import wall
from archive.recordings.silences import place
from archive.records.meetings.describe import where
from archive.records.meetings.models import Filing, OpeningEvent, OpeningEventKind
from archive.records.meetings.reach import in_force
from archive.records.outside_recordings.either import named
from archive.records.outside_recordings.models import OutsideFiling
from archive.records.outside_recordings.reach import in_force as outside_in_force
from archive.records.requests.models import Statement
from archive.records.requests.reach import related
from archive.ui import words

from .chapters import Chapter, Fact

_PRESENT = (OpeningEventKind.PRESENT, OpeningEventKind.TOLD)


def meeting_chapter(recording: str) -> Chapter:
    """Return the meetings under which two people filed the recording."""
    filings = in_force().filter(recording=recording)
    ways = ("meeting__student", "meeting__room", "filed_by", "confirmed_by")
    rows = filings.select_related("recording", *ways)
    brought = outside_in_force().filter(outside=recording).select_related(*ways)
    found = [_meeting(one, recording) for one in rows] + [_meeting(one, recording) for one in brought]
    return Chapter("meetings", tuple(found))


def _meeting(filing: Filing | OutsideFiling, recording: str) -> tuple[Fact, ...]:
    meeting = filing.meeting
    begin, end = localtime(meeting.starts_at), localtime(meeting.ends_at)
    noted = OpeningEvent.objects.filter(meeting=meeting, kind__in=_PRESENT).exclude(who="")
    if isinstance(filing, Filing):
        noted = noted.filter(recording=recording)
    present = "; ".join(dict.fromkeys(noted.values_list("who", flat=True)))
    facts = [
        Fact("student", str(meeting.student)),
        Fact("meeting", meeting.kind, str(meeting.get_kind_display())),
        Fact("begin", wall(meeting.starts_at), words.from_to(begin, end)),
        Fact("place", where(meeting)),
        Fact("present", present),
        Fact("filed_by", str(filing.filed_by or "")),
        Fact("confirmed_by", str(filing.confirmed_by or "")),
        Fact("filed", wall(filing.filed_at), words.when(localtime(filing.filed_at))),
    ]
    if isinstance(filing, OutsideFiling):
        return tuple(one for one in facts if one.value)
    for code, frame in (("first_frame", filing.first_frame), ("last_frame", filing.last_frame)):
        if frame is not None:
            facts.append(Fact(code, str(frame), words.clock_time(frame / filing.recording.rate)))
    return tuple(one for one in facts if one.value)


def statement_chapter(recording: str) -> Chapter:
    """Return the statements that a parent placed with the recording (34 CFR 99.21(c))."""
    placed = Statement.objects.filter(named(recording)).select_related("recording", "outside", "amendment__person")
    return Chapter("statements", tuple(_statement(one) for one in placed))


def _statement(one: Statement) -> tuple[Fact, ...]:
    facts = [
        Fact("person", str(one.amendment.person)),
        Fact("placed", wall(one.placed_at), words.when(localtime(one.placed_at))),
        Fact("text", one.text),
    ]
    box, parts = one.recording, related(one.about, one)
    if box is not None and parts is not None:
        ends = [(part.first, box.frames if part.last is None else part.last) for part in parts]
        said = [
            _("{begin} to {end}").format(begin=place(first, box.rate), end=place(last, box.rate))
            for first, last in ends
        ]
        told = "; ".join(f"{first}-{last}" for first, last in ends)
        facts.append(Fact("part", told or "none", "; ".join(said) or _("none that is known now")))
    return tuple(facts)
