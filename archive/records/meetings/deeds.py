"""Notices and meetings: each deed locks, changes, and writes its custody entry in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from appliance.contract.times import wall
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.letters.deeds import mark_overtaken
from archive.records.letters.models import LetterKind
from archive.records.people.models import Person, Student
from archive.rooms.models import Room

from .custody_kinds import (
    MEETING,
    MEETING_CANCELLED,
    MEETING_CHANGED,
    NOTICE,
    PARENT_RECORDS,
)
from .models import Meeting, MeetingKind, Notice, ParentRecords

IN_THE_LETTER: Final = frozenset({"kind", "room", "place", "starts_at", "cancelled_at"})
"""What the acknowledgment of a notice says of its meeting: after a change the letter is no longer true."""


@dataclass(frozen=True)
class NoticeFacts:
    """What a notice says."""

    student: Student
    meeting_at: datetime
    """When the meeting begins."""
    received_at: datetime
    """When the notice reached the district."""
    room: Room | None = None
    place: str = ""
    kind: MeetingKind = MeetingKind.IEP
    given_by: Person | None = None
    reason: str = ""
    """Empty is normal (docs/policy.md, guideline 2)."""
    device: str = ""
    """What the parent will record with, if the parent said so."""


@dataclass(frozen=True)
class MeetingFacts:
    """What is planned of a meeting."""

    kind: MeetingKind
    student: Student
    starts_at: datetime
    ends_at: datetime
    room: Room | None = None
    place: str = ""
    facilitator: User | None = None


def log_notice(facts: NoticeFacts, *, by: User) -> Notice:
    """Log a notice, with its meeting: the one that is planned for the student on that day, else a new one."""
    with one_deed():
        meeting = meeting_for(facts, by)
        notice = Notice(
            student=facts.student,
            meeting=meeting,
            received_at=facts.received_at,
            logged_by=by,
            meeting_at=facts.meeting_at,
            given_by=facts.given_by,
            reason=facts.reason,
            device=facts.device,
        )
        record(
            NOTICE,
            actor=Actor.user(by.pk),
            subject=Subject.meeting(meeting.pk),
            notice=str(notice.pk),
            received=wall(facts.received_at),
            meeting_at=wall(facts.meeting_at),
        )
        notice.save(force_insert=True)
        if facts.device and not meeting.parent_device:
            meeting.parent_device = facts.device
            meeting.version += 1
            meeting.save(update_fields=["parent_device", "version"])
    return notice


def meeting_for(facts: NoticeFacts, by: User, facilitator: User | None = None) -> Meeting:
    """Return the meeting of a notice: the one that is planned for the student on that day, else a new one.

    A new one is led by `facilitator`, or by whoever enters the notice.
    """
    day = timezone.localtime(facts.meeting_at).date()
    known = (
        Meeting.objects.select_for_update()
        .filter(student=facts.student, cancelled_at=None, starts_at__date=day)
        .order_by("starts_at")
    )
    found = [one for one in known if one.starts_at == facts.meeting_at] or list(known)
    if found:
        return found[0]
    ends = facts.meeting_at + timedelta(minutes=settings.ARCHIVE.records.meeting_minutes)
    leads = facilitator or by
    planned = MeetingFacts(facts.kind, facts.student, facts.meeting_at, ends, facts.room, facts.place, leads)
    return plan_meeting(planned, by=by)


def plan_meeting(facts: MeetingFacts, *, by: User) -> Meeting:
    """Plan a meeting; two in one room at a time are allowed, and the page says so."""
    with one_deed():
        meeting = Meeting(
            kind=facts.kind,
            student=facts.student,
            room=facts.room,
            place=facts.place,
            starts_at=facts.starts_at,
            ends_at=facts.ends_at,
            facilitator=facts.facilitator,
        )
        record(
            MEETING,
            actor=Actor.user(by.pk),
            subject=Subject.meeting(meeting.pk),
            starts=wall(facts.starts_at),
            ends=wall(facts.ends_at),
            room=str(facts.room.pk) if facts.room else None,
        )
        meeting.save(force_insert=True)
    return meeting


def change_meeting(pk: UUID, facts: MeetingFacts, version: int, *, by: User) -> Meeting:
    """Move or correct a planned meeting; its earlier time stays told. Raises StaleError, DeedError for another student.

    The student of a meeting never changes: recordings may be filed under it.
    """
    with one_deed():
        meeting = _locked(pk)
        if meeting.version != version:
            raise StaleError
        if meeting.cancelled_at is not None:
            raise DeedError("This meeting was canceled; plan a new one.")
        if facts.student.pk != meeting.student_id:
            raise DeedError("A meeting keeps its student. Cancel this one, and plan another.", field="student")
        values: dict[str, Any] = {
            "kind": facts.kind,
            "room": facts.room,
            "place": facts.place,
            "starts_at": facts.starts_at,
            "ends_at": facts.ends_at,
            "facilitator": facts.facilitator,
        }
        changed = sorted(name for name, value in values.items() if getattr(meeting, name) != value)
        if not changed:
            return meeting
        record(
            MEETING_CHANGED,
            actor=Actor.user(by.pk),
            subject=Subject.meeting(pk),
            fields=" ".join(changed),
            starts=wall(facts.starts_at),
            ends=wall(facts.ends_at),
            room=str(facts.room.pk) if facts.room else None,
        )
        meeting.corrected = sorted({*meeting.corrected, *changed})
        if "starts_at" in changed:
            meeting.moved_from = meeting.starts_at
            changed.append("moved_from")
        if IN_THE_LETTER & set(changed):
            mark_overtaken(LetterKind.ACKNOWLEDGMENT, Subject.meeting(pk), by=by)
        keep_kind(meeting, facts.kind)
        for name, value in values.items():
            setattr(meeting, name, value)
        meeting.version += 1
        meeting.save(update_fields=[*changed, "kinds_before", "corrected", "version"])
    return meeting


def keep_kind(meeting: Meeting, then: str) -> None:
    """Keep in mind, before a meeting becomes of another kind, which it was while a recording was filed under it.

    How long that recording is kept follows from each of them: no correction makes it eligible at once.
    """
    if then != meeting.kind and (meeting.filings.exists() or meeting.outside_filings.exists()):
        meeting.kinds_before = sorted({*meeting.kinds_before, meeting.kind})


def cancel_meeting(pk: UUID, *, by: User) -> Meeting:
    """Cancel a meeting; it stays in the calendar as cancelled."""
    with one_deed():
        meeting = _locked(pk)
        if meeting.cancelled_at is None:
            record(MEETING_CANCELLED, actor=Actor.user(by.pk), subject=Subject.meeting(pk))
            mark_overtaken(LetterKind.ACKNOWLEDGMENT, Subject.meeting(pk), by=by)
            meeting.cancelled_at = timezone.now()
            meeting.corrected = sorted({*meeting.corrected, "cancelled_at"})
            meeting.version += 1
            meeting.save(update_fields=["cancelled_at", "corrected", "version"])
    return meeting


def enter_parent_records(
    pk: UUID,
    answer: ParentRecords,
    device: str,
    version: int | None = None,
    *,
    by: User,
    said_at: datetime | None = None,
) -> Meeting:
    """Enter whether a parent records, and with what (docs/policy.md, guideline 6): a fact, never a permission.

    `said_at`: when it was said in the meeting, in the place of a version; what was said later stays. Raises StaleError.
    """
    with one_deed():
        meeting = _locked(pk)
        if version is not None and meeting.version != version:
            raise StaleError
        if said_at is not None and said_at < (meeting.parent_records_said_at or said_at):
            return meeting
        if (meeting.parent_records, meeting.parent_device) == (answer.value, device):
            return meeting
        record(PARENT_RECORDS, actor=Actor.user(by.pk), subject=Subject.meeting(pk), answer=answer.value)
        meeting.parent_records, meeting.parent_device = answer, device
        meeting.parent_records_said_at = said_at or timezone.now()
        meeting.version += 1
        meeting.save(update_fields=["parent_records", "parent_device", "parent_records_said_at", "version"])
    return meeting


def _locked(pk: UUID) -> Meeting:
    meeting = Meeting.objects.select_for_update().filter(pk=pk).first()
    if meeting is None:
        raise UnknownRecordError("there is no such meeting here")
    return meeting
