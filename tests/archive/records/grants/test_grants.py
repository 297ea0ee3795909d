"""Access to a student's recordings: for a purpose, until a day, given by another one, reviewed every quarter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.people import end_account
from archive.accounts.models import User
from archive.custody.actors import Actor, Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError
from archive.records.grants import deeds
from archive.records.grants.deeds import AccessFacts
from archive.records.grants.models import Review
from archive.records.grants.rules import LONGEST, ends_soon, quarter, quarter_begins, review_due
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_meeting, make_student
from tests.support.archives import Archive


def facts(user: User, **other: Any) -> AccessFacts:
    today = timezone.localdate()
    given: dict[str, Any] = {
        "student": make_student(),
        "user": user,
        "what": "listen",
        "purpose": "teaches the student",
        "position": "teacher",
        "trained_on": today - timedelta(days=10),
        "until": today + timedelta(days=30),
    }
    return AccessFacts(**{**given, **other})


def test_access_reaches_one_students_recordings_and_ends_by_itself(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    teacher, custodian = make_user("teacher"), make_user("custodian", Deed.GRANT)
    given = facts(teacher)
    make_filing(made.id, make_meeting(given.student))
    deeds.give_access(given, by=custodian)
    about = Subject.recording(made.id)
    assert may(teacher, Deed.LISTEN, about).allowed
    assert not may(teacher, Deed.DOWNLOAD, about).allowed
    grant = Grant.objects.get(user=teacher, deed=Deed.LISTEN)
    assert (grant.purpose, grant.position, grant.granted_by) == ("teaches the student", "teacher", custodian)
    Grant.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now())
    assert not may(teacher, Deed.LISTEN, about).allowed


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"until": -timedelta(days=1)}, "until"),
        ({"until": LONGEST + timedelta(days=1)}, "until"),
        ({"trained_on": timedelta(days=1)}, "trained_on"),
    ],
)
def test_days_that_make_no_sense_are_told_at_their_field(
    archive: Archive, other: dict[str, timedelta], field: str
) -> None:
    days = {name: timezone.localdate() + off for name, off in other.items()}
    with pytest.raises(DeedError) as told:
        deeds.give_access(facts(make_user("teacher"), **days), by=make_user("custodian"))
    assert told.value.field == field
    assert Grant.objects.count() == 0


def test_nobody_gives_access_to_themselves(archive: Archive) -> None:
    custodian = make_user("custodian", Deed.GRANT)
    with pytest.raises(DeedError, match="themselves"):
        deeds.give_access(facts(custodian), by=custodian)


def test_ending_access_ends_all_of_it_and_no_other(archive: Archive) -> None:
    teacher, custodian = make_user("teacher"), make_user("custodian", Deed.GRANT)
    one, other = facts(teacher), facts(teacher)
    deeds.give_access(one, by=custodian)
    deeds.give_access(other, by=custodian)
    assert deeds.end_access(teacher.pk, one.student.pk, by=custodian) == 3
    left = Grant.objects.at(timezone.now())
    assert {row.scope_id for row in left.filter(user=teacher)} == {str(other.student.pk)}
    assert Entry.objects.filter(code="revoke").count() == 3


@pytest.mark.parametrize(
    ("day", "name", "begins"),
    [
        (date(2026, 1, 1), "2026-Q1", date(2026, 1, 1)),
        (date(2026, 6, 30), "2026-Q2", date(2026, 4, 1)),
        (date(2026, 12, 31), "2026-Q4", date(2026, 10, 1)),
    ],
)
def test_quarters(day: date, name: str, begins: date) -> None:
    assert (quarter(day), quarter_begins(name)) == (name, begins)


def test_a_review_is_due_each_quarter_and_late_after_a_month() -> None:
    assert review_due(["2026-Q4"], date(2026, 12, 1)) is None
    due = review_due(["2026-Q3"], date(2026, 10, 5))
    assert due is not None
    assert not due.late
    late = review_due([], date(2026, 12, 1))
    assert late is not None
    assert late.late


def test_what_ends_within_a_month_is_marked() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert ends_soon(now + timedelta(days=30), now)
    assert not ends_soon(now + timedelta(days=31), now)
    assert not ends_soon(None, now)


def test_the_pages_give_list_end_and_review(archive: Archive) -> None:
    make_user("teacher")
    student = make_student("Ana", "Torres", local_id="S-17")
    client = signed_in(archive, "custodian", role="custodian")
    today = timezone.localdate()
    typed = {
        "student": "S-17",
        "user": "Teacher",
        "what": "listen",
        "purpose": "teaches her",
        "position": "teacher",
        "trained_on": today.isoformat(),
        "until": (today + timedelta(days=20)).isoformat(),
        "once": "a" * 32,
    }
    text = check(client.post("/access/new/", typed, follow=True).content.decode()).text
    assert "Ana Torres" in text
    assert "ends soon" in text
    assert client.post("/access/new/", {**typed, "user": "nobody", "once": "b" * 32}).status_code == 422
    check(client.get("/access/review/").content.decode())
    assert client.post("/access/review/", {"once": "c" * 32}).status_code == 422
    client.post("/access/review/", {"looked_at": "on", "once": "d" * 32})
    assert Review.objects.get().quarter == quarter(today)
    teacher = User.objects.get(username="teacher")
    there = f"/access/students/{student.pk}/accounts/{teacher.pk}/end/"
    assert "The access has ended." in client.post(there, {"once": "e" * 32}, follow=True).content.decode()
    assert not Grant.objects.at(timezone.now()).filter(user=teacher).exists()


@pytest.mark.parametrize("typed", ["identifier", "Tea Jones", "tea jones "])
def test_access_is_given_to_whom_the_provider_signs_in(archive: Archive, typed: str) -> None:
    """They have no name to sign in with: the account is found by its identifier, or a name that no other one has."""
    teacher = User.objects.create_user(
        None, display_name="Tea Jones", oidc_issuer="https://id.example.org", oidc_subject="s-1"
    )
    student, today = make_student("Ana", "Torres", local_id="S-17"), timezone.localdate()
    client = signed_in(archive, "custodian", role="custodian")
    form = {
        "student": "S-17",
        "user": str(teacher.pk) if typed == "identifier" else typed,
        "what": "listen",
        "purpose": "teaches her",
        "position": "teacher",
        "trained_on": today.isoformat(),
        "until": (today + timedelta(days=20)).isoformat(),
        "once": "a" * 32,
    }
    assert client.post("/access/new/", form).status_code == 302
    assert Grant.objects.filter(user=teacher, deed=Deed.LISTEN, scope_id=str(student.pk)).exists()


def test_a_name_that_two_accounts_have_gives_access_to_neither(archive: Archive) -> None:
    for name in ("t.jones", "t.jones2"):
        user = make_user(name)
        user.display_name = "Tea Jones"
        user.save()
    client = signed_in(archive, "custodian", role="custodian")
    make_student(local_id="S-17")
    answer = client.post("/access/new/", {"student": "S-17", "user": "Tea Jones", "once": "a" * 32})
    assert "Several accounts are called" in check(answer.content.decode()).text
    assert not Grant.objects.filter(user__display_name="Tea Jones").exists()


def review_page(client: Any) -> Any:
    return check(client.get("/access/review/").content.decode())


def test_what_ended_with_an_account_is_ended_on_the_list_and_in_the_review(archive: Archive) -> None:
    """A grant of an account that has ended was open on each list until its own day came."""
    custodian, teacher, other = make_user("custodian", role="custodian"), make_user("teacher"), make_user("other")
    for user in (teacher, other):
        deeds.give_access(facts(user), by=custodian)
    client = archive.client()
    client.force_login(custodian)
    before = Grant.objects.at(timezone.now()).count()
    end_account(teacher, by=Actor.user(custodian.pk))
    deeds.end_access(other.pk, UUID(Grant.objects.filter(user=other)[0].scope_id), by=custodian)
    page = check(client.get("/access/").content.decode())
    held, ended = page.all("table")
    assert "teacher" not in held.one("tbody").text
    assert [row.all("td")[-1].text for row in ended.one("tbody").all("tr")] == ["taken away", "with its account"]
    held, ended = review_page(client).all("table")
    assert "teacher" not in held.one("tbody").text
    assert "with its account" in ended.text
    client.post("/access/review/", {"looked_at": "on", "once": "d" * 32})
    made = Review.objects.get()
    assert (made.grants, made.ended) == (before - 6, 6)
    assert len(review_page(client).all("table")) == 1, "what ended before the last review is in that one"


def test_what_will_end_with_its_account_says_so(archive: Archive) -> None:
    custodian, teacher = make_user("custodian", role="custodian"), make_user("teacher")
    deeds.give_access(facts(teacher, until=timezone.localdate() + timedelta(days=300)), by=custodian)
    client = archive.client()
    client.force_login(custodian)
    assert "with the account" not in client.get("/access/").content.decode()
    assert "Access that ends within a month" not in client.get("/today/").content.decode()
    end_account(teacher, by=Actor.user(custodian.pk), at=timezone.now() + timedelta(days=3))
    page = check(client.get("/access/").content.decode()).one("tbody").text
    assert "with the account ends soon" in page
    assert "Access that ends within a month: 1" in client.get("/today/").content.decode()


def test_what_ended_by_itself_is_told_as_that(archive: Archive) -> None:
    custodian, teacher = make_user("custodian", role="custodian"), make_user("teacher")
    deeds.give_access(facts(teacher), by=custodian)
    now = timezone.now()
    Grant.objects.filter(user=teacher).update(valid_from=now - timedelta(days=9), valid_until=now - timedelta(days=1))
    client = archive.client()
    client.force_login(custodian)
    # an account that ends afterwards takes nothing along that was over
    end_account(teacher, by=Actor.user(custodian.pk))
    _, ended = review_page(client).all("table")
    assert [row.all("td")[-1].text for row in ended.one("tbody").all("tr")] == ["by itself, or given anew"]
