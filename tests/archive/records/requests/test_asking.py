"""A parent tells a facilitator that they want access: it is logged for whoever handles requests."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.custody.models import Entry
from archive.records.people.models import Student
from archive.records.requests.models import AccessRequest
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import (
    grant_student,
    make_bar,
    make_person,
    make_request,
    make_right,
    make_student,
)
from tests.support.archives import Archive


@pytest.fixture
def facilitator(archive: Archive) -> Any:
    return signed_in(archive, "case.manager", role="facilitator")


@pytest.fixture
def student(archive: Archive) -> Student:
    student = make_student("Ana", "Torres", local_id="S-17")
    make_right(make_person("Rosa", "Torres"), student)
    return student


def typed(**other: str) -> dict[str, str]:
    day = timezone.localdate().isoformat()
    return {
        "student": "S-17",
        "person": "Rosa Torres",
        "received_on": day,
        "wish": "copy",
        "once": secrets.token_hex(16),
        **other,
    }


def test_a_facilitator_logs_a_request_and_sees_that_it_waits(facilitator: Any, student: Student) -> None:
    answer = facilitator.post("/requests/new/", typed(text="The last meeting."), follow=True)
    assert answer.redirect_chain[-1][0] == "/requests/asked/"
    page = check(answer.content.decode())
    assert "whoever handles requests sees it now" in page.text
    assert "Ana Torres" in page.text
    row = AccessRequest.objects.get()
    assert (str(row.logged_by), row.text) == ("case.manager", "The last meeting.")
    (entry,) = Entry.objects.filter(code="access-request")
    assert entry.actor_id == str(row.logged_by_id)
    assert facilitator.get(f"/requests/{row.pk}/").status_code == 403, "only whoever handles requests opens it"


def test_the_custodian_finds_it_on_the_same_day(archive: Archive, facilitator: Any, student: Student) -> None:
    """A request that is due in six weeks would else be told four weeks later."""
    facilitator.post("/requests/new/", typed())
    custodian = signed_in(archive, "director", role="custodian")
    page = check(custodian.get("/today/").content.decode())
    assert "Answer the request of Rosa Torres about Ana Torres" in page.text
    assert "Logged by case.manager." in page.text
    own = typed(wish="listen")
    assert custodian.post("/requests/new/", own).headers["Location"] != "/requests/asked/"
    assert "Logged by director" not in check(custodian.get("/today/").content.decode()).text


def test_a_double_click_logs_one(facilitator: Any, student: Student) -> None:
    form = typed()
    answers = [facilitator.post("/requests/new/", form) for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == ["/requests/asked/"] * 2
    assert AccessRequest.objects.count() == 1


def test_what_was_logged_by_others_and_how_it_was_answered_is_not_told(facilitator: Any, student: Student) -> None:
    make_request(student, make_person("Stranger", "Elsewhere"), logged_by=make_user("director"))
    facilitator.post("/requests/new/", typed())
    AccessRequest.objects.filter(wish="copy").update(closed_at=timezone.now(), outcome="A copy, and 12 dollars.")
    page = check(facilitator.get("/requests/asked/").content.decode())
    assert "Stranger" not in page.text
    assert "answered" in page.text
    assert "12 dollars" not in page.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"person": "Luis Torres"}, "holds no rights"),
        ({"person": "Nobody"}, "Nobody here is called"),
        ({"student": "S-99"}, "No student here"),
        ({"received_on": "2199-01-01"}, "still to come"),
        ({"wish": "video"}, "Select a valid choice"),
        ({"text": "x" * 2001}, "at most 2000"),
        ({"text": "a\u202eb"}, "nobody can see"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_is_kept(
    facilitator: Any, student: Student, wrong: dict[str, str], said: str
) -> None:
    barred = make_person("Luis", "Torres")
    make_right(barred, student)
    make_bar(barred, student)
    answer = facilitator.post("/requests/new/", {**typed(text="the last meeting"), **wrong})
    assert answer.status_code == 422
    page = check(answer.content.decode())
    assert said in page.text
    assert "text" in wrong or "the last meeting" in page.text
    assert AccessRequest.objects.count() == 0


def test_one_asks_only_for_students_one_reaches(archive: Archive, student: Student) -> None:
    other = make_student("Ben", "Ash", local_id="S-18")
    narrow = make_user("teacher")
    grant_student(narrow, other, Deed.ASK)
    client = archive.client()
    client.force_login(narrow)
    assert "No student here" in check(client.post("/requests/new/", typed()).content.decode()).text
    page = check(client.get(f"/requests/new/?student={student.pk}").content.decode())
    assert "S-17" not in [one.get("value") for one in page.all("input")]
    page = check(client.get(f"/requests/new/?student={other.pk}").content.decode())
    assert "S-18" in [one.get("value") for one in page.all("input")]


def test_nobody_without_the_right_logs_one(archive: Archive, student: Student) -> None:
    client = signed_in(archive, "it.support", role="technician")
    assert client.get("/requests/asked/").status_code == 403
    assert client.post("/requests/new/", typed()).status_code == 403
