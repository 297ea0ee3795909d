"""The kiosk: one screen in the office, a code that staff made, and nothing left for the next person."""

from __future__ import annotations

import time
from typing import Any

import pytest

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.accounts.sessions import KIOSK_IDLE
from archive.records.people.models import Person, Student
from archive.records.requests.link_deeds import MAX_FAILURES, MadeLink, make_link
from archive.records.requests.models import ParentLink
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import grant_student, make_filing, make_meeting, make_person, make_student
from tests.support.archives import Archive


@pytest.fixture
def screen(archive: Archive) -> Any:
    """A browser that staff made the kiosk."""
    client = signed_in(archive, "office", Deed.REQUESTS)
    assert client.post("/kiosk/start/").headers["Location"] == "/kiosk/"
    assert client.get("/requests/").status_code == 302, "its staff is signed out of it"
    return client


@pytest.fixture
def made(archive: Archive) -> MadeLink:
    student, parent = make_student("Sam", "Fox"), make_person("Rosa", "Fox")
    link = make_link(parent, by=make_user("clerk"), kiosk=True)
    parent.refresh_from_db()
    assert parent.user is not None
    grant_student(parent.user, student, Deed.OWN)
    return link


def test_a_code_opens_what_the_parent_may_see_once(screen: Any, made: MadeLink) -> None:
    code = f"{made.code[:4]} {made.code[4:]}"
    assert screen.post("/kiosk/", {"code": code}).headers["Location"] == "/own/"
    assert "Sam Fox" in screen.get("/own/").content.decode()
    screen.get("/kiosk/")
    assert screen.get("/own/").status_code == 302, "whoever comes to the kiosk ends the session before"
    assert screen.post("/kiosk/", {"code": code}).status_code == 422, "a code works once"


@pytest.mark.parametrize(
    ("entered", "chosen", "language"), [("es", None, "es"), ("es", "en", "en"), ("en", None, "en"), ("en", "es", "es")]
)
def test_a_parent_reads_in_the_language_of_their_letters_unless_they_chose_another(
    screen: Any, made: MadeLink, entered: str, chosen: str | None, language: str
) -> None:
    Person.objects.update(language=entered)
    if chosen:
        screen.post("/language/", {"language": chosen, "next": "/kiosk/"})
    screen.post("/kiosk/", {"code": made.code})
    assert check(screen.get("/own/").content.decode(), language=language)
    answer = screen.get("/kiosk/")
    assert answer.cookies["language"].value == "", "the next person reads in the office's language"


def test_only_the_kiosk_asks_for_codes(archive: Archive, made: MadeLink) -> None:
    elsewhere = archive.client()
    assert "This is not the kiosk" in elsewhere.get("/kiosk/").content.decode()
    elsewhere.post("/kiosk/", {"code": made.code})
    assert ParentLink.objects.get().used_at is None
    assert ParentLink.objects.get().failures == 0


def test_guessing_ends_every_code_that_is_open(screen: Any, made: MadeLink) -> None:
    wrong = "0" * 8 if made.code != "0" * 8 else "1" * 8
    for _ in range(MAX_FAILURES):
        assert screen.post("/kiosk/", {"code": wrong}).status_code == 422
    assert screen.post("/kiosk/", {"code": made.code}).status_code == 422
    assert ParentLink.objects.get().used_at is None


def test_a_link_that_goes_home_is_no_code_for_the_kiosk(screen: Any, archive: Archive) -> None:
    home = make_link(make_person(), by=make_user("clerk"))
    assert screen.post("/kiosk/", {"code": home.code}).status_code == 422


def test_an_unused_session_ends_and_leads_back_with_nothing_kept(screen: Any, made: MadeLink) -> None:
    screen.post("/kiosk/", {"code": made.code})
    screen.cookies["language"] = "es"
    session = screen.session
    session["seen_at"] = time.time() - KIOSK_IDLE.total_seconds() - 1
    session.save()
    answer = screen.get("/own/")
    assert answer.headers["Location"] == "/kiosk/?left=1"
    answer = screen.get("/kiosk/?left=1")
    assert (answer.headers["Clear-Site-Data"], answer.headers["Cache-Control"][:5]) == ('"cache", "storage"', "max-a")
    assert screen.cookies["language"].value == ""


def test_signing_out_leads_back_to_the_kiosk(screen: Any, made: MadeLink) -> None:
    screen.post("/kiosk/", {"code": made.code})
    page = screen.get("/own/").content.decode()
    assert "ui/kiosk" in page
    assert "My sign-ins" not in page
    assert screen.post("/sign-out/").headers["Location"] == "/kiosk/?left=1"


def test_without_scripts_a_page_leaves_by_itself_and_one_with_a_player_not_before_all_of_it_was_heard(
    screen: Any, made: MadeLink, sealed: Arrive
) -> None:
    recording = sealed(seconds=3)
    student = Student.objects.get()
    make_filing(recording.id, make_meeting(student))
    user = User.objects.get(person__given_name="Rosa")
    grant_student(user, student, Deed.LOOK, Deed.LISTEN)
    screen.post("/kiosk/", {"code": made.code})
    for address, seconds in (("/own/", 120), (f"/recordings/{recording.id}/", 123)):
        assert f'http-equiv="refresh" content="{seconds}; url=/kiosk/"' in screen.get(address).content.decode()
