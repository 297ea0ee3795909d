"""Access requests: each deed locks, changes, and writes its custody entry in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.people import grant
from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.recordings.models import Recording
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.meetings.models import Meeting, MeetingKind
from archive.records.people.models import Person, Student
from archive.records.people.own_access import OWN_ACCESS, rights_end
from archive.ui.words import day as day_words

from .custody_kinds import ACCESS_REQUEST, EXPLAINED, REQUEST_CLOSED, SUPERVISED
from .models import AccessRequest, SupervisedListening, Wish
from .reach import holds_rights
from .rules import Due, due

OWN_DEEDS = (Deed.OWN, Deed.LOOK, Deed.LISTEN)
"""What a rights-holder can do with the student's recordings while access lasts; copies are handed out by staff."""


_MEETS: Final = Q(kind=MeetingKind.IEP, cancelled_at=None)
"""Meetings before which a request must be answered (34 CFR 300.613(a))."""


def check_holder(student: Student, person: Person, on: date) -> None:
    """Raise DeedError unless `person` holds rights over the student's records on that day (34 CFR 99.4, 99.10)."""
    if not holds_rights(student, person, on):
        raise DeedError(
            f"{person} holds no rights over these records on {day_words(on)}, as far as this archive knows. "
            "Have them entered on the student's page first.",
            field="person",
        )


def due_of(request: AccessRequest) -> Due:
    """Return by when a request must be answered."""
    return _due(request, request.student.meetings.filter(_MEETS))


def with_due(requests: QuerySet[AccessRequest]) -> list[tuple[AccessRequest, Due]]:
    """Return all these requests with the day on which each is due, the earliest due first; two queries."""
    meetings = Prefetch("student__meetings", queryset=Meeting.objects.filter(_MEETS))
    rows = requests.select_related("student", "person", "logged_by").prefetch_related(meetings)
    return sorted(((row, _due(row, row.student.meetings.all())) for row in rows), key=lambda pair: pair[1].on)


def _due(request: AccessRequest, meetings: Iterable[Meeting]) -> Due:
    days = [timezone.localtime(one.starts_at).date() for one in meetings]
    return due(request.received_on, days, request.hearing_on)


def ask_access(
    student: Student,
    person: Person,
    wish: Wish,
    *,
    received_on: date,
    hearing_on: date | None = None,
    text: str = "",
    explanation_asked: bool = False,
    by: User,
) -> AccessRequest:
    """Enter that a rights-holder asks to inspect the student's recordings (34 CFR 99.10). Raises DeedError."""
    check_holder(student, person, timezone.localdate())
    with one_deed():
        row = AccessRequest(
            student=student,
            person=person,
            wish=wish,
            received_on=received_on,
            hearing_on=hearing_on,
            text=text,
            explanation_asked=explanation_asked,
            logged_by=by,
        )
        record(
            ACCESS_REQUEST,
            actor=Actor.user(by.pk),
            subject=Subject.case(row.pk),
            student=str(student.pk),
            person=str(person.pk),
            wish=wish.value,
            received=received_on.isoformat(),
            due=due_of(row).on.isoformat(),
        )
        row.save(force_insert=True)
    return row


def explain(pk: UUID, explanation: str, version: int, *, by: User) -> AccessRequest:
    """Enter who explained what to the rights-holder (34 CFR 99.10(c)). Raises StaleError.

    The entry holds the text's digest: what was written first can be told from what replaced it.
    """
    with one_deed():
        row = _request(pk)
        if row.version != version:
            raise StaleError
        digest = hashlib.sha256(explanation.encode()).hexdigest()
        record(EXPLAINED, actor=Actor.user(by.pk), subject=Subject.case(pk), sha256=digest)
        row.explanation, row.explained_at = explanation, timezone.now()
        row.version += 1
        row.save(update_fields=["explanation", "explained_at", "version"])
    return row


def open_for(pk: UUID, days: int, *, by: User) -> AccessRequest:
    """Let the rights-holder's account reach the student's recordings for some days, and no longer than the rights hold.

    Raises DeedError.
    """
    with one_deed():
        row = _request(pk)
        check_holder(row.student, row.person, timezone.localdate())
        if row.person.user is None:
            raise DeedError("This person has no account yet; make a one-time link first.")
        until, end = timezone.now() + timedelta(days=days), rights_end(row.student, row.person)
        until = until if end is None else min(until, end)
        for deed in OWN_DEEDS:
            grant(
                row.person.user,
                deed,
                by=Actor.user(by.pk),
                scope=Scope.student(row.student_id),
                until=until,
                facts=OWN_ACCESS,
            )
    return row


def begin_supervised(pk: UUID, recording: Recording, *, by: User) -> SupervisedListening:
    """Enter that a rights-holder listens at the office, with staff beside."""
    with one_deed():
        row = _request(pk)
        check_holder(row.student, row.person, timezone.localdate())
        made = SupervisedListening(request=row, recording=recording, began_at=timezone.now(), by=by)
        subject = Subject.recording(recording.pk)
        record(SUPERVISED, actor=Actor.user(by.pk), subject=subject, listening=str(made.pk))
        made.save(force_insert=True)
    return made


def close(pk: UUID, outcome: str, version: int, *, by: User) -> AccessRequest:
    """Enter how a request was answered. Raises StaleError, and DeedError while an explanation is still owed."""
    with one_deed():
        row = _request(pk)
        if row.version != version:
            raise StaleError
        if row.explanation_asked and row.explained_at is None:
            raise DeedError("An explanation was asked for (34 CFR 99.10(c)); enter it first.")
        record(REQUEST_CLOSED, actor=Actor.user(by.pk), subject=Subject.case(pk))
        row.closed_at, row.outcome = timezone.now(), outcome
        row.version += 1
        row.save(update_fields=["closed_at", "outcome", "version"])
    return row


def _request(pk: UUID) -> AccessRequest:
    row = (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("student", "person__user")
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise UnknownRecordError("there is no such request here")
    if row.closed_at is not None:
        raise DeedError("This request was answered already.")
    return row
