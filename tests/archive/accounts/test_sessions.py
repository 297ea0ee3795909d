"""Sessions end: after eight hours, when nobody uses them, with the account, with the password, from elsewhere."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.accounts import invitations
from archive.accounts.browsers import browser_name
from archive.accounts.models import Invitation, User
from archive.accounts.sessions import LONGEST, forget_ended
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import codes_about, is_signed_in, sign_in, sign_in_settings
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.pages import check
from tests.support.archives import Archive

NEW = "another 13579 word"


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


def age(client: Client, **seconds: float) -> None:
    """Let a session be older: `signed_in_at` or `seen_at` are that many seconds ago."""
    session = client.session
    for name, ago in seconds.items():
        session[name] = time.time() - ago
    session.save()


def test_a_session_lasts_eight_hours_however_busy_it_is(ann: User) -> None:
    client = sign_in("ann")
    age(client, signed_in_at=LONGEST.total_seconds() - 5)
    assert is_signed_in(client)
    age(client, signed_in_at=LONGEST.total_seconds())
    assert not is_signed_in(client)


@pytest.mark.parametrize("minutes", [5, 60, 480])
def test_a_session_ends_when_nobody_uses_it(ann: User, minutes: int) -> None:
    with sign_in_settings(idle_min=minutes):
        client = sign_in("ann")
        age(client, seen_at=60 * minutes - 5)
        assert is_signed_in(client)
        age(client, seen_at=60 * minutes)
        assert not is_signed_in(client)


def test_use_is_noted_once_a_minute_and_not_for_pages_that_ask_by_themselves(ann: User) -> None:
    client = sign_in("ann")
    age(client, seen_at=90)
    client.get("/rooms.json")
    assert time.time() - client.session["seen_at"] > 80
    client.get("/recordings/")
    assert time.time() - client.session["seen_at"] < 10
    noted = client.session["seen_at"]
    client.get("/recordings/")
    assert client.session["seen_at"] == noted


def test_a_session_ends_with_its_account(ann: User, archive: Archive) -> None:
    client = sign_in("ann")
    archive.run("disable-user", "ann")
    assert not is_signed_in(client)
    assert not UserSession.objects.filter(user=ann).exists()


def test_signing_out_elsewhere_leaves_this_one(ann: User) -> None:
    here, there, third = sign_in("ann"), sign_in("ann"), sign_in("ann")
    page = check(here.get("/my/").content.decode())
    assert page.text.count("this one") == 1
    assert len(page.one("tbody").all("tr")) == 3
    answer = here.post("/my/sessions/end/", follow=True)
    assert "2 other sessions were ended." in check(answer.content.decode()).text
    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, False]
    ended = Entry.objects.get(code="sessions-end")
    assert (ended.subject_id, ended.member("count")) == (str(ann.pk), 2)


def test_a_new_password_ends_every_other_session(ann: User) -> None:
    here, there = sign_in("ann"), sign_in("ann")
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/my/password/", form).headers["Location"] == "/my/"
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert codes_about(ann) == ["sign-in", "sign-in", "password"]
    assert Client().post("/sign-in/", {"username": "ann", "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}, "entered incorrectly"),
        ({"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}, "too short"),
        ({"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW + "x"}, "match"),
        ({}, "required"),
    ],
)
def test_a_password_that_cannot_be_changed_is_said_at_its_field(ann: User, form: dict[str, str], told: str) -> None:
    client = sign_in("ann")
    answer = client.post("/my/password/", form)
    assert answer.status_code == 200
    assert told in check(answer.content.decode()).text
    assert PASSWORD not in answer.content.decode()
    assert codes_about(ann) == ["sign-in"]


def test_the_worker_clears_ended_sessions_and_old_invitations_away(ann: User) -> None:
    client, other = sign_in("ann"), sign_in("ann")
    Session.objects.filter(session_key=other.session.session_key).update(expire_date=timezone.now())
    invitations.issue(ann)
    Invitation.objects.update(valid_until=timezone.now())
    forget_ended(StopSignal())
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [client.session.session_key]
    assert Session.objects.count() == 1
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64 1) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome on Chromebook"),
        ("curl/8", "an unknown browser"),
        ("", "an unknown browser"),
        ("<script>alert(1)</script>", "an unknown browser"),
    ],
)
def test_a_browser_is_named_as_people_name_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name


def test_a_long_or_missing_user_agent_signs_in_all_the_same(ann: User) -> None:
    for agent in ("x" * 5000, ""):
        client = Client(headers={"user-agent": agent})
        answer: Any = client.post("/sign-in/", {"username": "ann", "password": PASSWORD})
        assert answer.status_code == 302


def test_a_screen_on_a_wall_that_nobody_touches_stays_for_eight_hours_and_opens_nothing_else(ann: User) -> None:
    client = sign_in("ann")
    assert client.post("/rooms/wall/").status_code == 302
    for at in range(1, 8):
        age(client, signed_in_at=3600 * at, seen_at=3500)
        assert client.get("/rooms.json").status_code == 200, f"after {at} h"
        assert time.time() - client.session["seen_at"] < 60, "what it asks for counts as use"
    for other in ("/recordings/", "/rooms/", "/my/sessions/end/", "/"):
        answer = client.get(other)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/rooms/wall/")
    assert client.get("/rooms/wall/").status_code == 200
    age(client, signed_in_at=LONGEST.total_seconds())
    assert client.get("/rooms.json").status_code == 302
    client = sign_in("ann")
    client.post("/rooms/wall/")
    client.post("/sign-out/")
    assert not is_signed_in(client)
    assert is_signed_in(sign_in("ann")), "the next sign-in there opens everything again"


def test_asking_how_far_a_check_is_does_not_keep_a_session_from_being_unused(ann: User, archive: Archive) -> None:
    client = sign_in("ann")
    age(client, seen_at=90)
    client.get(f"/recordings/{'0' * 32}/verification.json")
    assert time.time() - client.session["seen_at"] > 80
