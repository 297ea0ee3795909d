"""Changes of people: each with its custody entry, none half done, none over another one's."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.utils import timezone

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError, StaleError, UnknownRecordError
from archive.records.people import deeds
from archive.records.people.models import Person, Right, RightKind, Student
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
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


def test_who_was_overtaken_sees_what_is_saved_now_and_can_save_again(archive: Archive) -> None:
    """Otherwise the second person could only give up what they typed."""
    student = make_student("Ana", "Torres", birth_date=date(2015, 5, 31))
    ann, bob = (signed_in(archive, name, Deed.CORRECT, Deed.PEOPLE) for name in ("ann", "bob"))
    there = f"/students/{student.pk}/edit/"
    typed = {"given_name": "Anna", "family_name": "Torres", "local_id": student.local_id, "birth_date": "2015-05-31"}
    assert ann.post(there, {**typed, "left_on": "2026-01-05", "version": "0", "once": "a" * 32}).status_code == 302
    late = {**typed, "given_name": "Hannah", "version": "0"}
    page = check(bob.post(there, {**late, "once": "b" * 32}).content.decode())
    saved = dict(zip([one.text for one in page.all("dt")], [one.text for one in page.all("dd")], strict=True))
    assert saved == {"Given name": "Anna", "Left the district on": "Mon Jan 5 2026"}
    fields = {one.get("name"): one.get("value") for one in page.all("input")}
    assert (fields["given_name"], fields["version"]) == ("Hannah", "1")
    assert bob.post(there, {**late, "version": "1", "once": "c" * 32}).status_code == 302
    student.refresh_from_db()
    assert (student.given_name, student.left_on, student.version) == ("Hannah", None, 2)


def test_an_agent_is_named_by_somebody_who_holds_rights(registrar: User) -> None:
    """34 CFR 300.613(b)(3): a representative of the parent."""
    student, mother, aunt = make_student(), make_person("Rosa"), make_person("Carla")

    def enter(kind: RightKind, named_by: Person | None) -> Right:
        day = date(2026, 1, 1)
        return deeds.enter_right(
            student.pk, aunt, kind, basis="x", valid_from=day, valid_to=None, named_by=named_by, by=registrar
        )

    for kind, named_by, told in (
        (RightKind.AGENT, None, "Say which parent"),
        (RightKind.AGENT, aunt, "their own agent"),
        (RightKind.AGENT, mother, "Rosa Torres holds no rights"),
        (RightKind.GUARDIAN, mother, "Only an agent"),
    ):
        with pytest.raises(DeedError, match=told) as refused:
            enter(kind, named_by)
        assert refused.value.field == "named_by"
    make_right(mother, student)
    assert enter(RightKind.AGENT, mother).named_by == mother
    with pytest.raises(DeedError, match="already"):
        enter(RightKind.AGENT, mother)


def test_rights_end_on_a_day_that_is_not_before_their_begin(registrar: User) -> None:
    right = make_right(make_person(), make_student(), valid_from=date(2026, 1, 10))
    with pytest.raises(DeedError, match="Jan 10 2026"):
        deeds.end_right(right.pk, date(2026, 1, 9), shown=None, by=registrar)
    deeds.end_right(right.pk, date(2026, 1, 10), shown=None, by=registrar)
    assert (last().code, last().member("to_day")) == ("right-end", "2026-01-10")


@pytest.mark.parametrize("kind", ["right", "bar"])
def test_what_has_ended_stays_ended_and_an_end_is_only_brought_forward(registrar: User, kind: str) -> None:
    """A tab from before neither makes ended rights longer nor a court order shorter than it says now."""
    make, end = (make_right, deeds.end_right) if kind == "right" else (make_bar, deeds.end_bar)
    today = timezone.localdate()
    later, soon, past = (today + timedelta(days=days) for days in (90, 30, -30))
    row = make(make_person(), make_student(), valid_from=date(2020, 1, 1))
    end(row.pk, later, shown=None, by=registrar)
    for day in (soon, today, later):
        with pytest.raises(StaleError):
            end(row.pk, day, shown=None, by=registrar)
    with pytest.raises(DeedError, match="anyway"):
        end(row.pk, later + timedelta(days=1), shown=later, by=registrar)
    end(row.pk, soon, shown=later, by=registrar)
    end(row.pk, past, shown=soon, by=registrar)
    with pytest.raises(DeedError, match="ended on"):
        end(row.pk, past - timedelta(days=1), shown=past, by=registrar)
    row.refresh_from_db()
    assert row.valid_to == past
    assert Entry.objects.filter(code=f"{kind}-end").count() == 3


@pytest.mark.parametrize(("begins", "told"), [(0, "reaches that person now"), (7, "reaches that person from")])
def test_a_court_order_that_begins_later_is_not_said_to_hold_now(archive: Archive, begins: int, told: str) -> None:
    student, father = make_student(), make_person("Luis")
    client = signed_in(archive, "reader", role="custodian")
    day = timezone.localdate() + timedelta(days=begins)
    form = {"person": str(father.pk), "basis": "order", "valid_from": day.isoformat(), "once": "a" * 32}
    answer = client.post(f"/students/{student.pk}/bars/new/", form, follow=True)
    assert told in answer.content.decode()


def test_the_page_ends_what_has_not_ended_and_nothing_else(archive: Archive) -> None:
    student, today = make_student(), timezone.localdate()
    rows = [make_right(make_person(), student, valid_to=to) for to in (None, today, today - timedelta(days=1))]
    client = signed_in(archive, "reader", role="custodian")
    page = client.get(f"/students/{student.pk}/").content.decode()
    assert [f"/rights/{row.pk}/end/" in page for row in rows] == [True, True, False]
    form = client.get(f"/students/{student.pk}/rights/{rows[1].pk}/end/").content.decode()
    assert f'name="shown" value="{today.isoformat()}"' in form


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
