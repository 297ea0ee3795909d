"""Changes of people: each with its custody entry, none half done, none over another one's."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.db import DatabaseError

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.people import deeds
from archive.records.people.models import Right, RightKind, Student
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import make_bar, make_person, make_right, make_student
from tests.support.archives import Archive


@pytest.fixture
def registrar(archive: Archive) -> User:
    return make_user("registrar", Deed.CORRECT, Deed.PEOPLE)


def last() -> Entry:
    entry = Entry.objects.order_by("n").last()
    assert entry is not None
    return entry


def test_a_correction_is_told_by_its_fields_and_never_by_names(registrar: User) -> None:
    student = make_student("Ana", "Torres")
    deeds.correct_student(student.pk, {"given_name": "Anna", "family_name": "Torres"}, 0, by=registrar)
    entry = last()
    assert (entry.code, entry.subject_id, entry.member("fields")) == ("student-changed", str(student.pk), "given_name")
    assert "Anna" not in entry.detail
    student.refresh_from_db()
    assert (student.given_name, student.corrected, student.version) == ("Anna", ["given_name"], 1)


def test_of_two_who_edit_at_once_the_second_one_is_told(registrar: User) -> None:
    student = make_student()
    deeds.correct_student(student.pk, {"given_name": "Anna"}, 0, by=registrar)
    with pytest.raises(StaleError):
        deeds.correct_student(student.pk, {"given_name": "Hannah"}, 0, by=registrar)
    student.refresh_from_db()
    assert student.given_name == "Anna"


def test_a_correction_that_changes_nothing_makes_no_entry(registrar: User) -> None:
    student = make_student("Ana")
    before = Entry.objects.count()
    deeds.correct_student(student.pk, {"given_name": "Ana"}, 0, by=registrar)
    assert Entry.objects.count() == before


def test_a_crash_leaves_the_old_state_and_no_entry(registrar: User, monkeypatch: pytest.MonkeyPatch) -> None:
    student, before = make_student("Ana"), Entry.objects.count()

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(Student, "save", fail)
    with pytest.raises(DatabaseError):
        deeds.correct_student(student.pk, {"given_name": "Anna"}, 0, by=registrar)
    assert Entry.objects.count() == before
    assert Student.objects.get(pk=student.pk).given_name == "Ana"


def test_the_same_ground_is_entered_once(registrar: User) -> None:
    student, person = make_student(), make_person()
    make_right(person, student)
    with pytest.raises(DeedError, match="already"):
        deeds.enter_right(
            student.pk,
            person,
            RightKind.PARENT,
            basis="x",
            valid_from=date(2026, 1, 1),
            valid_to=None,
            by=registrar,
        )
    assert Right.objects.count() == 1


def test_rights_end_on_a_day_that_is_not_before_their_begin(registrar: User) -> None:
    right = make_right(make_person(), make_student(), valid_from=date(2026, 1, 10))
    with pytest.raises(DeedError, match="2026-01-10"):
        deeds.end_right(right.pk, date(2026, 1, 9), by=registrar)
    deeds.end_right(right.pk, date(2026, 1, 10), by=registrar)
    assert (last().code, last().member("to_day")) == ("right-end", "2026-01-10")


def test_what_is_not_there_is_told(registrar: User) -> None:
    with pytest.raises(UnknownRecordError):
        deeds.correct_student(uuid4(), {}, 0, by=registrar)


def test_a_barred_person_reaches_nothing_whatever_was_granted(archive: Archive) -> None:
    """34 CFR 99.4: one of two parents is barred; nothing reaches that one."""
    student, father = make_student(), make_person("Luis")
    father.user = make_user("luis", Deed.PEOPLE)
    father.save()
    about = Subject.student(student.pk)
    assert may(father.user, Deed.PEOPLE, about).allowed
    bar = make_bar(father, student)
    assert may(father.user, Deed.PEOPLE, about).reason == "barred"
    assert may(father.user, Deed.PEOPLE, Subject.student(make_student("Other").pk)).allowed
    bar.valid_to = date(2020, 1, 2)
    bar.valid_from = date(2020, 1, 1)
    bar.save()
    assert may(father.user, Deed.PEOPLE, about).allowed
