"""Changes of people and their rights: each locks, changes, and writes its custody entry in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.kinds import Kind
from archive.custody.log import record
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.ui import words

from .custody_kinds import (
    BAR,
    BAR_END,
    MAJORITY,
    PERSON,
    PERSON_CHANGED,
    RIGHT,
    RIGHT_END,
    STUDENT,
    STUDENT_CHANGED,
)
from .models import Bar, Person, Right, RightKind, Student
from .own_access import end_with_rights
from .reach import holders_now

STUDENT_FIELDS = ("given_name", "family_name", "local_id", "birth_date", "school", "left_on")
"""What people may enter and correct of a student."""
PERSON_FIELDS = (
    "given_name",
    "family_name",
    "kind",
    "position",
    "email",
    "phone",
    "address",
    "language",
    "interpreter",
)
"""The same of a person."""


def enter_student(values: Mapping[str, Any], *, by: User) -> Student:
    """Enter a student that no roster brought."""
    with one_deed():
        student = Student(**_only(values, STUDENT_FIELDS))
        record(STUDENT, actor=Actor.user(by.pk), subject=Subject.student(student.pk), fields=_named(values))
        student.save(force_insert=True)
    return student


def correct_student(pk: UUID, values: Mapping[str, Any], version: int, *, by: User) -> Student:
    """Correct a student's data; an import keeps from then on what was corrected. Raises StaleError."""
    with one_deed():
        student = _locked_student(pk)
        _change(
            student, _only(values, STUDENT_FIELDS), version, kind=STUDENT_CHANGED, subject=Subject.student(pk), by=by
        )
    return student


def enter_person(values: Mapping[str, Any], *, by: User) -> Person:
    """Enter a person that no roster brought."""
    with one_deed():
        person = Person(**_only(values, PERSON_FIELDS))
        record(PERSON, actor=Actor.user(by.pk), subject=Subject.person(person.pk), fields=_named(values))
        person.save(force_insert=True)
    return person


def correct_person(pk: UUID, values: Mapping[str, Any], version: int, *, by: User) -> Person:
    """Correct a person's data; an import keeps from then on what was corrected. Raises StaleError."""
    with one_deed():
        person = Person.objects.select_for_update().filter(pk=pk).first()
        if person is None:
            raise UnknownRecordError("there is no such person here")
        _change(person, _only(values, PERSON_FIELDS), version, kind=PERSON_CHANGED, subject=Subject.person(pk), by=by)
    return person


def enter_right(
    student: UUID,
    person: Person,
    kind: RightKind,
    *,
    basis: str,
    valid_from: date,
    valid_to: date | None,
    named_by: Person | None = None,
    by: User,
) -> Right:
    """Enter that `person` holds rights over the student's records.

    Raises DeedError if that ground is there already, and for an agent whom nobody named who holds rights.
    """
    with one_deed():
        row = _locked_student(student)
        _check_named(row, person, kind, named_by)
        if Right.objects.filter(person=person, student=row, kind=kind, named_by=named_by, valid_to=None).exists():
            raise DeedError("This person holds rights on this ground already; end them first.", field="kind")
        record(
            RIGHT,
            actor=Actor.user(by.pk),
            subject=Subject.student(row.pk),
            person=str(person.pk),
            ground=kind.value,
            named_by=str(named_by.pk) if named_by else None,
            from_day=valid_from.isoformat(),
            to_day=valid_to.isoformat() if valid_to else None,
        )
        return Right.objects.create(
            person=person,
            student=row,
            kind=kind,
            named_by=named_by,
            basis=basis,
            valid_from=valid_from,
            valid_to=valid_to,
        )


def end_right(pk: UUID, valid_to: date, *, shown: date | None, by: User) -> Right:
    """End rights with the day `valid_to`; `shown` is the end that the page showed before.

    What the person may do as a rights-holder ends with them, and so do the rights of agents whom the person named.
    Raises StaleError where that is not their end any more, and DeedError for a day on which they cannot end.
    """
    with one_deed():
        right = Right.objects.select_for_update().filter(pk=pk).first()
        if right is None:
            raise UnknownRecordError("there is no such entry of rights here")
        _check_end(right, valid_to, shown)
        record(
            RIGHT_END,
            actor=Actor.user(by.pk),
            subject=Subject.student(right.student_id),
            person=str(right.person_id),
            ground=right.kind,
            to_day=valid_to.isoformat(),
        )
        right.valid_to = valid_to
        right.save(update_fields=["valid_to"])
        student = right.student
        agents = student.rights.filter(named_by=right.person_id).values("person")
        for person in Person.objects.select_related("user").filter(Q(pk=right.person_id) | Q(pk__in=agents)):
            end_with_rights(student, person, by=by)
    return right


def enter_bar(student: UUID, person: Person, *, basis: str, valid_from: date, valid_to: date | None, by: User) -> Bar:
    """Enter a court order that bars `person` from the student's records (34 CFR 99.4)."""
    with one_deed():
        row = _locked_student(student)
        if Bar.objects.filter(person=person, student=row, valid_to=None).exists():
            raise DeedError("A court order without an end bars this person already.", field="person")
        record(
            BAR,
            actor=Actor.user(by.pk),
            subject=Subject.student(row.pk),
            person=str(person.pk),
            from_day=valid_from.isoformat(),
            to_day=valid_to.isoformat() if valid_to else None,
        )
        return Bar.objects.create(person=person, student=row, basis=basis, valid_from=valid_from, valid_to=valid_to)


def end_bar(pk: UUID, valid_to: date, *, shown: date | None, by: User) -> Bar:
    """End a bar with the day `valid_to`; `shown` is the end that the page showed before.

    Raises StaleError where that is not its end any more, and DeedError for a day on which it cannot end.
    """
    with one_deed():
        bar = Bar.objects.select_for_update().filter(pk=pk).first()
        if bar is None:
            raise UnknownRecordError("there is no such court order here")
        _check_end(bar, valid_to, shown)
        record(
            BAR_END,
            actor=Actor.user(by.pk),
            subject=Subject.student(bar.student_id),
            person=str(bar.person_id),
            to_day=valid_to.isoformat(),
        )
        bar.valid_to = valid_to
        bar.save(update_fields=["valid_to"])
    return bar


def decide_majority(pk: UUID, decision: str, on: date, *, by: User) -> Student:
    """Enter what follows from a student's 18th birthday; rights themselves are entered and ended one by one.

    34 CFR 99.5(a), 300.520, 300.625.
    """
    with one_deed():
        student = _locked_student(pk)
        if student.rights_decided_on is not None:
            raise DeedError(f"It was decided on {words.day(student.rights_decided_on)} already.")
        record(MAJORITY, actor=Actor.user(by.pk), subject=Subject.student(pk))
        student.rights_decided_on, student.rights_decision = on, decision
        student.version += 1
        student.save(update_fields=["rights_decided_on", "rights_decision", "version"])
    return student


def _check_end(row: Right | Bar, valid_to: date, shown: date | None) -> None:
    """Raise unless `row` can end on that day: what is over stays as it was, and an end is only ever brought forward."""
    if row.valid_to != shown:
        raise StaleError
    if row.valid_to is not None and row.valid_to < timezone.localdate():
        raise DeedError(f"This ended on {words.day(row.valid_to)}. Enter anew what holds since.", field="valid_to")
    if valid_to < row.valid_from:
        raise DeedError(f"This began on {words.day(row.valid_from)}; choose that day or a later one.", field="valid_to")
    if row.valid_to is not None and valid_to > row.valid_to:
        raise DeedError(
            f"This ends on {words.day(row.valid_to)} anyway. Enter anew what holds longer.", field="valid_to"
        )


def _check_named(student: Student, person: Person, kind: RightKind, named_by: Person | None) -> None:
    """Raise unless an agent, and nobody else, was named by somebody who holds rights today (34 CFR 300.613(b)(3))."""
    if kind != RightKind.AGENT:
        if named_by is not None:
            raise DeedError("Only an agent is named by somebody.", field="named_by")
        return
    if named_by is None:
        raise DeedError("Say which parent or other rights-holder named this agent.", field="named_by")
    if named_by.pk == person.pk:
        raise DeedError("Nobody is their own agent.", field="named_by")
    today = timezone.localdate()
    found = holders_now(student.rights.select_related("person"), student.bars.all(), today)
    if not any(one.person.pk == named_by.pk and set(one.grounds) != {RightKind.AGENT} for one in found):
        raise DeedError(
            f"{named_by} holds no rights over these records today, so nobody represents them.", field="named_by"
        )


def _locked_student(pk: UUID) -> Student:
    student = Student.objects.select_for_update().filter(pk=pk).first()
    if student is None:
        raise UnknownRecordError("there is no such student here")
    return student


def _only(values: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in fields if name in values}


def _named(values: Mapping[str, Any]) -> str:
    return " ".join(sorted(name for name, value in values.items() if value not in ("", None)))


def _change(
    row: Student | Person, values: dict[str, Any], version: int, *, kind: Kind, subject: Subject, by: User
) -> None:
    if row.version != version:
        raise StaleError
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if not changed:
        return
    record(kind, actor=Actor.user(by.pk), subject=subject, fields=" ".join(changed))
    for name in changed:
        setattr(row, name, values[name])
    row.corrected = sorted({*row.corrected, *changed})
    row.version += 1
    row.save(update_fields=[*changed, "corrected", "version"])
