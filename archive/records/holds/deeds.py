"""Opening matters, putting recordings on hold, releasing them: each with its custody entry in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import check_kept, find_outside
from archive.records.people.models import Student

from .custody_kinds import HOLD, HOLD_RELEASED, MATTER, MATTER_CHANGED, MATTER_RELEASED
from .models import Held, Matter


@dataclass(frozen=True)
class MatterFacts:
    """What is known of a matter."""

    title: str
    reason: str
    owner: str
    """Who answers for it."""
    valid_from: date
    valid_until: date | None
    """When it is looked at again."""


def open_matter(facts: MatterFacts, *, by: User) -> Matter:
    """Open a matter; it holds nothing yet."""
    _check(facts)
    with one_deed():
        row = Matter(opened_at=timezone.now(), opened_by=by, **vars(facts))
        record(
            MATTER,
            actor=Actor.user(by.pk),
            subject=Subject.matter(row.pk),
            matter=row.pk.hex,
            from_day=facts.valid_from.isoformat(),
            until_day=_day(facts),
        )
        row.save(force_insert=True)
    return row


def change_matter(pk: UUID, facts: MatterFacts, version: int, *, by: User) -> Matter:
    """Correct what a matter says; what it holds stays held. Raises StaleError."""
    _check(facts)
    with one_deed():
        row = _open(pk)
        if row.version != version:
            raise StaleError
        record(
            MATTER_CHANGED,
            actor=Actor.user(by.pk),
            subject=Subject.matter(pk),
            matter=pk.hex,
            until_day=_day(facts),
        )
        for name, value in vars(facts).items():
            setattr(row, name, value)
        row.version += 1
        row.save()
    return row


def hold(pk: UUID, what: Recording | OutsideRecording | Student, *, by: User) -> Held:
    """Put a recording, or all recordings of a student, on hold. Raises DeedError where the matter holds it already."""
    with one_deed():
        matter = _open(pk)
        row = Held(matter=matter, added_at=timezone.now(), added_by=by)
        if isinstance(what, Recording):
            # whoever destroys locks the same row first (records/destruction), so that one of the two comes first
            row.recording = find(what.pk, lock=True)
            check_not_destroyed(row.recording)
        elif isinstance(what, OutsideRecording):
            row.outside = find_outside(what.pk, lock=True)
            check_kept(row.outside)
        else:
            row.student = what
        same = {"recording": row.recording, "outside": row.outside, "student": row.student}
        if matter.items.filter(**same, released_at=None).exists():
            raise DeedError(f"This matter holds {_named(row)} already.")
        record(HOLD, actor=Actor.user(by.pk), subject=_subject(row), held=row.pk.hex)
        row.save(force_insert=True)
    return row


def release(matter: UUID, pk: UUID, reason: str, *, by: User) -> Held:
    """Take one thing out of a matter; other matters go on holding it."""
    with one_deed():
        _open(matter)
        row = Held.objects.select_for_update().filter(pk=pk, matter=matter, released_at=None).first()
        if row is None:
            raise UnknownRecordError("this matter does not hold that, or it was released")
        _release(row, reason, by)
    return row


def end_matter(pk: UUID, reason: str, *, by: User) -> Matter:
    """End a matter and all its holds; other matters go on holding what they hold."""
    with one_deed():
        row = _open(pk)
        for item in row.items.select_for_update().filter(released_at=None):
            _release(item, reason, by)
        record(MATTER_RELEASED, actor=Actor.user(by.pk), subject=Subject.matter(pk), matter=pk.hex)
        row.released_at, row.released_by, row.release_reason = timezone.now(), by, reason
        row.version += 1
        row.save()
    return row


def _release(row: Held, reason: str, by: User) -> None:
    record(HOLD_RELEASED, actor=Actor.user(by.pk), subject=_subject(row), held=row.pk.hex)
    row.released_at, row.released_by, row.release_reason = timezone.now(), by, reason
    row.save(update_fields=["released_at", "released_by", "release_reason"])


def _open(pk: UUID) -> Matter:
    row = Matter.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such matter here")
    if row.released_at is not None:
        raise DeedError("This matter has ended. Open a new one.")
    return row


def _check(facts: MatterFacts) -> None:
    if facts.valid_from > timezone.localdate():
        raise DeedError("A hold begins when it is entered; this day is still to come.", field="valid_from")
    if facts.valid_until is not None and facts.valid_until < facts.valid_from:
        raise DeedError("This day is before the begin.", field="valid_until")


def _day(facts: MatterFacts) -> str | None:
    return facts.valid_until.isoformat() if facts.valid_until else None


def _subject(row: Held) -> Subject:
    if row.student is not None:
        return Subject.student(row.student.pk)
    if row.outside_id is not None:
        return Subject.outside(row.outside_id)
    return Subject.recording(row.recording_id or "")


def _named(row: Held) -> str:
    return f"the recordings of {row.student}" if row.student_id else f"recording {row.recording_id or row.outside_id}"
