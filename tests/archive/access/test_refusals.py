"""Who may not, is refused, and the refusal is an entry."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive.access.deeds import ROLES, Deed
from archive.access.models import Grant
from archive.access.routes import ROUTES
from archive.accounts.models import User
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive, entries, make_user, signed_in, who
from tests.archive.pages import check
from tests.archive.records.factories import make_meeting, make_student
from tests.support.archives import Archive

GUARDED = [
    ("", "recording", "look"),
    ("custody/", "custody", "custody"),
    ("audio.wav", "audio", "listen"),
    ("verification/", "verification", "verify"),
    ("copies/", "export", "download"),
    ("package.zip", "package", "download"),
    ("audio.flac", "flac", "download"),
    ("receipt.tsv", "receipt", "download"),
]


@pytest.mark.parametrize(("below", "name", "deed"), GUARDED)
def test_without_the_right_nothing_of_a_recording_is_shown(
    technician: Any, sealed: Arrive, below: str, name: str, deed: str
) -> None:
    made = sealed(seconds=1)
    answer = technician.get(f"/recordings/{made.id}/{below}")
    assert answer.status_code == 403
    page = check(answer.content.decode())
    assert page.one("h1").text == "You do not have access to this"
    assert "not given access to this page" in page.text
    (entry,) = [entry for entry in entries(made.id) if entry.actor_type == "user"]
    assert (entry.code, who(entry)) == ("refusal", "user:it.support")
    assert json.loads(entry.detail) == {"page": name, "deed": deed, "why": "no-grant"}


def test_verifying_needs_the_right(technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert technician.post(f"/recordings/{made.id}/verify/").status_code == 403
    assert [entry.code for entry in entries(made.id) if entry.actor_type == "user"] == ["refusal"]


def test_it_cannot_listen_even_as_superuser(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    root = signed_in(archive, "root", role="technician")
    for flag in ("is_superuser", "is_staff"):
        assert not hasattr(User(), flag), "nothing asks for it, and nobody can be it"
    with (
        pytest.raises((CommandError, AttributeError, TypeError)),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        call_command("createsuperuser", username="root2", interactive=False)
    assert root.get(f"/recordings/{made.id}/audio.wav").status_code == 403
    assert [who(entry) for entry in entries(made.id, "refusal")] == ["user:root"]


@pytest.mark.parametrize("deed", [deed for deed in Deed if deed not in {Deed.BOARD, Deed.LIST}])
def test_each_deed_is_a_right_of_its_own(archive: Archive, sealed: Arrive, deed: Deed) -> None:
    made = sealed(seconds=1)
    client = signed_in(archive, "p.smith", deed)
    answers = {name: client.get(f"/recordings/{made.id}/{below}").status_code for below, name, _ in GUARDED}
    answers["verify"] = client.post(f"/recordings/{made.id}/verify/", follow=True).status_code
    answers["verification"] = client.get(f"/recordings/{made.id}/verification/").status_code
    needed = {name: needs for _, name, needs in GUARDED} | {"verify": "verify"}
    assert answers == {name: 200 if needs == deed else 403 for name, needs in needed.items()}


def test_an_auditor_reads_custody_and_hears_nothing(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    auditor = signed_in(archive, "a.lee", role="auditor")
    listed = check(auditor.get("/recordings/").content.decode())
    assert f"/recordings/{made.id}/custody/" in [link.get("href") for link in listed.all("a")]
    assert check(auditor.get(f"/recordings/{made.id}/custody/").content.decode()).one("h1").text == "Custody"
    assert auditor.post(f"/recordings/{made.id}/verify/", follow=True).status_code == 200
    for below in ("", "audio.wav", "audio.flac", "package.zip"):
        assert auditor.get(f"/recordings/{made.id}/{below}").status_code == 403
    assert not entries(made.id, "listen")


def test_whoever_may_only_look_is_offered_nothing_else(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    client = signed_in(archive, "p.smith", Deed.LOOK)
    page = check(client.get(f"/recordings/{made.id}/").content.decode())
    assert not page.all("audio")
    assert not [form for form in page.all("form") if "verify" in form.get("action")]
    assert not [link for link in page.all("a") if "copies" in link.get("href") or "audio" in link.get("href")]
    assert "looked at a page" not in page.text, "the custody log is not theirs to read"


@pytest.mark.parametrize("role", [*ROLES, None])
def test_no_page_links_to_a_refusal(archive: Archive, sealed: Arrive, role: str | None) -> None:
    made = sealed(seconds=1)
    client = signed_in(archive, "p.smith", role=role)
    seen, waiting = set[str](), ["/"]
    while waiting:
        place = waiting.pop()
        answer = client.get(place, follow=True)
        # nothing was granted, and yet everybody has a page about their own sign-ins
        refused = role is None and not place.startswith("/my/")
        assert answer.status_code == (403 if refused else 200), place
        if "text/html" in answer.headers["Content-Type"]:
            links = {link.get("href").split("#")[0] for link in check(answer.content.decode()).all("a")}
            waiting += [link for link in links - seen if link.startswith("/") and link not in waiting]
        seen |= {place, *waiting}
        if place.endswith(made.id + "/custody/") and role is not None:
            assert client.get(f"/recordings/{made.id}/verify/", follow=True).status_code == 200
            assert client.get(f"/recordings/{made.id}/verification/", follow=True).status_code == 200
            assert client.post(f"/recordings/{made.id}/verify/", follow=True).status_code == 200
            waiting.append(f"/recordings/{made.id}/verification/")
    assert not entries(made.id, "refusal")


def test_a_grant_holds_from_its_begin_to_its_end(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    client = signed_in(archive, "p.smith", Deed.LOOK)
    place, now = f"/recordings/{made.id}/", timezone.now()
    assert client.get(place).status_code == 200
    Grant.objects.update(valid_until=now)
    assert client.get(place).status_code == 403
    Grant.objects.update(valid_from=now + timedelta(hours=1), valid_until=None)
    assert client.get(place).status_code == 403


def test_an_account_that_is_closed_is_signed_out_at_once(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    User.objects.update(active_until=timezone.now())
    assert custodian.get(f"/recordings/{made.id}/audio.wav").status_code == 302
    assert not entries(made.id, "listen")


def test_it_sees_rooms_and_the_list_without_links_that_are_refused(technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert technician.get("/rooms/").status_code == 200
    page = check(technician.get("/recordings/").content.decode())
    assert made.id in page.text
    assert not [link for link in page.all("a") if made.id in link.get("href")]


def test_a_form_asked_for_as_a_page_leads_to_its_page(custodian: Any, sealed: Arrive, client: Any) -> None:
    """As after a session's end: the sign-in leads on to the address that only a form is sent to."""
    made = sealed(seconds=1)
    assert custodian.get(f"/recordings/{made.id}/verify/").headers["Location"] == f"/recordings/{made.id}/"
    make_user("p.smith")
    assert client.post(f"/recordings/{made.id}/verify/").status_code == 302
    assert Recording.objects.get().state == "sealed"


def test_an_address_that_is_in_no_table_answers_nobody(custodian: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert custodian.get("/rooms/").status_code == 200
    monkeypatch.delitem(ROUTES, "pages:rooms")
    assert custodian.get("/rooms/").status_code == 403


def test_only_a_form_about_a_recording_that_was_not_sent_says_that_nothing_was_done(
    custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    told = "Nothing was done: you were signed out."
    assert told in check(custodian.get(f"/recordings/{made.id}/verify/", follow=True).content.decode()).text
    assert told not in check(custodian.get("/sign-out/", follow=True).content.decode()).text


def test_who_was_signed_out_comes_back_to_the_page_of_the_form(archive: Archive) -> None:
    """An address that only takes forms shows the page with the form instead, of what the address names."""
    meeting = make_meeting(make_student())
    answer = signed_in(archive, "p.smith", Deed.CONDUCT).get(f"/meetings/{meeting.pk}/opening/events/")
    assert answer.headers["Location"] == f"/meetings/{meeting.pk}/opening/"
