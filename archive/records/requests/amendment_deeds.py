"""Amendments: each deed locks, changes, and writes its custody entry in one transaction (34 CFR 99.20 to 99.22)."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.outside_recordings.either import Either, columns_of, find_kept
from archive.records.people.models import Person, Student
from archive.ui.words import day

from .custody_kinds import AMENDMENT, AMENDMENT_STEP, NO_HEARING, STATEMENT
from .deeds import check_holder
from .models import Amendment, AmendmentState, NoHearing, Statement
from .reach import unheard
from .rules import STATEMENT_IN, check_no_hearing, may_follow


def ask_amendment(
    student: Student, person: Person, recording: Either, *, text: str, received_on: date, by: User
) -> Amendment:
    """Enter that a rights-holder asks to amend a recording of either kind (34 CFR 99.20(a), 300.618).

    Raises DeedError; DestroyedError where it is not here any more.
    """
    check_holder(student, person, timezone.localdate())
    with one_deed():
        kept = columns_of(find_kept(recording.pk, lock=True))
        row = Amendment(student=student, person=person, **kept, text=text, received_on=received_on)
        record(
            AMENDMENT,
            actor=Actor.user(by.pk),
            subject=Subject.case(row.pk),
            recording=recording.pk,
            received=received_on.isoformat(),
        )
        row.save(force_insert=True)
    return row


def decide(
    pk: UUID,
    then: AmendmentState,
    words: str,
    version: int,
    *,
    by: User,
    hearing_days: int | None = None,
    hearing_on: date | None = None,
    officer: str = "",
) -> Amendment:
    """Let an amendment go on: decided, a hearing set, or decided after it (34 CFR 99.20 to 99.22). Raises DeedError.

    That no hearing was asked for is entered by `end_unheard`.
    """
    with one_deed():
        row = _amendment(pk)
        if row.version != version:
            raise StaleError
        if then == AmendmentState.NO_HEARING or not may_follow(AmendmentState(row.state), then):
            raise DeedError("This step does not follow from where the amendment stands.", field="state")
        if then == AmendmentState.HEARING and (hearing_on is None or not officer):
            raise DeedError(
                "A hearing has a day, and an officer without a direct interest (34 CFR 99.22).", field="hearing_on"
            )
        if then == row.state == AmendmentState.HEARING and (hearing_on, officer) == (
            row.hearing_on,
            row.hearing_officer,
        ):
            raise DeedError("The hearing is set for that day and that officer already.", field="hearing_on")
        outcome = then in {AmendmentState.HEARING_AMENDED, AmendmentState.HEARING_REFUSED}
        if outcome and row.hearing_on is not None and row.hearing_on > timezone.localdate():
            raise DeedError(f"The hearing is set for {day(row.hearing_on)}: it has no outcome before.", field="state")
        if then == AmendmentState.REFUSED and not hearing_days:
            raise DeedError("Say how many days the district waits for the parent to ask.", field="hearing_days")
        told = {"hearing_days": hearing_days} if then == AmendmentState.REFUSED else {}
        on = {"hearing_on": hearing_on.isoformat()} if then == AmendmentState.HEARING and hearing_on else {}
        record(AMENDMENT_STEP, actor=Actor.user(by.pk), subject=Subject.case(pk), state=then.value, **told, **on)
        row.state = then
        match then:
            case AmendmentState.HEARING:
                row.hearing_on, row.hearing_officer = hearing_on, officer
            case AmendmentState.HEARING_AMENDED | AmendmentState.HEARING_REFUSED:
                row.hearing_outcome = words
            case _:
                row.decided_at, row.decision, row.hearing_days = timezone.now(), words, told.get("hearing_days")
        row.version += 1
        row.save()
    return row


def end_unheard(pk: UUID, why: NoHearing, on: date, how: str, version: int, *, by: User) -> Amendment:
    """Enter that no hearing is asked for about a refusal. Raises StaleError, DeedError.

    Nothing that is open keeps the recording any more; a parent who asks later gets a hearing all the same.
    """
    with one_deed():
        row = _amendment(pk)
        if row.version != version:
            raise StaleError
        check_no_hearing(unheard(row), why, on, timezone.localdate())
        record(
            NO_HEARING,
            actor=Actor.user(by.pk),
            subject=Subject.case(pk),
            cause=why.value,
            as_of=on.isoformat(),
            sha256=hashlib.sha256(how.encode()).hexdigest(),
        )
        row.state = AmendmentState.NO_HEARING
        row.no_hearing, row.no_hearing_on, row.no_hearing_how = why, on, how
        row.version += 1
        row.save(update_fields=["state", "no_hearing", "no_hearing_on", "no_hearing_how", "version"])
    return row


def place_statement(pk: UUID, text: str, *, by: User) -> Statement:
    """Place the rights-holder's statement with the recording; every later copy carries it (34 CFR 99.21(c))."""
    with one_deed():
        row = _amendment(pk)
        if row.state not in STATEMENT_IN:
            raise DeedError(
                "A statement is placed after a hearing that did not amend the record (34 CFR 99.21(b)(2)), or where no "
                "hearing was asked for."
            )
        statement = Statement(amendment=row, **columns_of(row.about), text=text, placed_at=timezone.now())
        record(
            STATEMENT,
            actor=Actor.user(by.pk),
            subject=row.subject,
            case=str(pk),
            statement=str(statement.pk),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        statement.save(force_insert=True)
    return statement


def _amendment(pk: UUID) -> Amendment:
    row = (
        Amendment.objects.select_for_update(of=("self",))
        .select_related("recording", "outside", "student", "person")
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise UnknownRecordError("there is no such amendment here")
    return row
