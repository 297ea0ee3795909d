"""Taking in a roster: first a dry run that shows the difference, then just that file, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import NOTHING, Actor
from archive.custody.log import Detail, record
from archive.records.errors import DeedError, UnknownRecordError
from archive.ui import words

from .custody_kinds import IMPORT
from .difference import Change, Difference, Known, difference, total
from .models import ImportRun, Person, Right, RightKind, School, Student
from .roster import PersonRow, Roster, SchoolRow, StudentRow, read_roster

_BATCH: Final = 500
_SCHOOL: Final = ("name",)
_STUDENT: Final = ("given_name", "family_name", "local_id", "birth_date", "school")
_PERSON: Final = ("given_name", "family_name", "kind", "position", "email", "phone", "language")


@dataclass(frozen=True, order=True)
class NamedRight:
    """Somebody is a student's parent or guardian, as a roster says, or no longer says."""

    student: str
    """The student's name."""
    person: str
    """Whose rights they are."""
    ground: str
    """On what ground, in words."""
    pk: UUID | None
    """The student, for the way to the page where rights are ended; None of one who is not here yet."""


@dataclass(frozen=True)
class RosterDifference:
    """What a roster would change here."""

    roster: Roster
    schools: Difference[SchoolRow]
    students: Difference[StudentRow]
    persons: Difference[PersonRow]
    rights: list[tuple[str, str, str]]
    """Person, student (source identifiers) and ground of rights that are not here yet."""
    given: list[NamedRight]
    """Those rights by name: each lets somebody reach a student's records from that day on."""
    withheld: list[NamedRight]
    """Rights that the roster says and that are not given: a person ended one of that pair, or decided on the student's
    own rights at 18 (34 CFR 99.5). A person gives them again on the student's page, if they hold."""
    gone: list[NamedRight]
    """Rights that hold here, and that the roster no longer gives a student whom it has: a person ends them."""

    def counts(self) -> dict[str, int]:
        """Return how many rows each part of it holds."""
        tables = (self.schools, self.students, self.persons)
        return {
            "added": total(tables, "added") + len(self.rights),
            "changed": total(tables, "changed"),
            "kept": total(tables, "kept") + len(self.withheld),
            "missing": total(tables, "missing") + len(self.gone),
            "refused": len(self.roster.problems),
        }


def look_at(data: bytes, *, by: User) -> tuple[ImportRun, RosterDifference]:
    """Keep a file for the import, and return what it would change. Raises DeedError for a file that is no roster."""
    roster = read_roster(data)
    with one_deed():
        found = compare(roster)
        ImportRun.objects.filter(taken_at=None, by=by).update(data=None)
        run = ImportRun.objects.create(
            source=roster.source, sha256=hashlib.sha256(data).hexdigest(), data=data, by=by, **found.counts()
        )
    return run, found


def take_in(pk: UUID, *, by: User) -> ImportRun:
    """Take in the file of a dry run, compared anew with what is here by now."""
    with one_deed():
        run = ImportRun.objects.select_for_update().filter(pk=pk).first()
        if run is None:
            raise UnknownRecordError("there is no such import here")
        if run.taken_at is not None:
            raise DeedError(f"This file was taken in already, {words.day_and_time(timezone.localtime(run.taken_at))}.")
        if run.data is None:
            raise DeedError("This file is no longer here, since another one was looked at; choose it again.")
        found = compare(read_roster(bytes(run.data)))
        counts = found.counts()
        detail: dict[str, Detail] = {"source": run.source, "sha256": run.sha256, **counts}
        record(IMPORT, actor=Actor.user(by.pk), subject=NOTHING, **detail)
        _apply(found)
        for name, count in counts.items():
            setattr(run, name, count)
        run.taken_at, run.data = timezone.now(), None
        run.save()
    return run


def compare(roster: Roster) -> RosterDifference:
    """Return what `roster` would change."""
    source = roster.source
    schools = {str(pk): school for pk, school in School.objects.filter(source=source).values_list("pk", "source_id")}
    known_students = {
        pk: Known(
            {**known.values, "school": schools.get(str(known.values["school"]), "")}, known.corrected, known.called
        )
        for pk, known in _known(Student, source, (*_STUDENT[:-1], "school_id")).items()
    }
    persons = _known(Person, source, _PERSON)
    rows = list(Right.objects.filter(person__source=source, student__source=source).select_related("person", "student"))
    here = {(one.person.source_id, one.student.source_id, one.kind) for one in rows}
    told = {(one.person, one.student, one.kind.value) for one in roster.rights}
    names = _Names(source, roster)
    decided = set(
        Student.objects.filter(source=source, rights_decided_on__isnull=False).values_list("source_id", flat=True)
    )
    ended = {(one.person.source_id, one.student.source_id) for one in rows if one.valid_to is not None}
    new = sorted(told - here)
    withheld = [one for one in new if one[:2] in ended or one[1] in decided]
    given = [one for one in new if one not in set(withheld)]
    gone = [
        NamedRight(str(one.student), str(one.person), str(one.get_kind_display()), one.student_id)
        for one in rows
        if one.valid_to is None
        and one.student.source_id in roster.students
        and (one.person.source_id, one.student.source_id, one.kind) not in told
    ]
    return RosterDifference(
        roster,
        difference(_known(School, source, _SCHOOL), roster.schools, _values(roster.schools, _SCHOOL)),
        difference(known_students, roster.students, _values(roster.students, _STUDENT)),
        difference(persons, roster.persons, _values(roster.persons, _PERSON)),
        given,
        [names.of(*one) for one in given],
        [names.of(*one) for one in withheld],
        sorted(gone),
    )


class _Names:
    """What the students and people of a roster are called, as they are here, or as it says."""

    def __init__(self, source: str, roster: Roster) -> None:
        self._students = {one.source_id: one for one in Student.objects.filter(source=source)}
        self._persons = {one.source_id: str(one) for one in Person.objects.filter(source=source)}
        self._roster = roster

    def of(self, person: str, student: str, kind: str) -> NamedRight:
        """Return a right by name."""
        here, told = self._students.get(student), self._roster.students.get(student)
        called = str(here) if here else f"{told.given_name} {told.family_name}".strip() if told else student
        adult = self._roster.persons.get(person)
        by_roster = f"{adult.given_name} {adult.family_name}".strip() if adult else person
        ground = str(RightKind(kind).label)
        return NamedRight(called, self._persons.get(person, by_roster), ground, here.pk if here else None)


def _known(table: type[models.Model], source: str, names: tuple[str, ...]) -> dict[str, Known]:
    found = {}
    for row in table._default_manager.filter(source=source).values("source_id", "corrected", *names):
        values = {name.removesuffix("_id") if name == "school_id" else name: row[name] for name in names}
        called = " ".join(str(row[name]) for name in ("given_name", "family_name", "name") if row.get(name))
        found[row["source_id"]] = Known(values, frozenset(row["corrected"]), called)
    return found


def _values(rows: dict[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {pk: {name: getattr(row, name) for name in names} for pk, row in rows.items()}


def _apply(found: RosterDifference) -> None:
    source = found.roster.source
    School.objects.bulk_create(
        (School(source=source, **asdict(row)) for row in found.schools.added.values()), batch_size=_BATCH
    )
    _update(School, source, found.schools.changed)
    schools = {school.source_id: school for school in School.objects.filter(source=source)}
    Student.objects.bulk_create(
        (
            Student(source=source, **{**asdict(row), "school": schools.get(row.school)})
            for row in found.students.added.values()
        ),
        batch_size=_BATCH,
    )
    _update(Student, source, found.students.changed, schools)
    Person.objects.bulk_create(
        (Person(source=source, **asdict(row)) for row in found.persons.added.values()), batch_size=_BATCH
    )
    _update(Person, source, found.persons.changed)
    _add_rights(source, found.rights)


def _add_rights(source: str, rights: Iterable[tuple[str, str, str]]) -> None:
    persons = dict(Person.objects.filter(source=source).values_list("source_id", "pk"))
    students = dict(Student.objects.filter(source=source).values_list("source_id", "pk"))
    today = timezone.localdate()
    Right.objects.bulk_create(
        (
            Right(
                person_id=persons[person],
                student_id=students[student],
                kind=kind,
                basis=f"the district's roster, {today}",
                valid_from=today,
            )
            for person, student, kind in rights
            if person in persons and student in students
        ),
        batch_size=_BATCH,
    )


def _update(table: type[Any], source: str, changes: list[Change], schools: dict[str, School] | None = None) -> None:
    if not changes:
        return
    changed = {one.source_id: one for one in changes}
    names = sorted({change.name for one in changes for change in one.fields})
    rows = []
    for row in table.objects.select_for_update().filter(source=source).iterator():
        one = changed.get(row.source_id)
        if one is None:
            continue
        for change in one.fields:
            setattr(row, change.name, (schools or {}).get(change.after) if change.name == "school" else change.after)
        row.version += 1
        rows.append(row)
    table.objects.bulk_update(rows, [*names, "version"], batch_size=_BATCH)
