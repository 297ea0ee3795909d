"""`plainsight-archive add-user` and its siblings: accounts may do what was granted, and every change is an entry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import authenticate

from archive.access.deeds import ROLES
from archive.access.models import Grant
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import is_signed_in, set_up_app, sign_in
from tests.archive.page_fixtures import make_user
from tests.support.archives import Archive


def deeds(archive: Archive, name: str) -> set[str]:
    return {
        deed
        for one in json.loads(archive.run("list-users", "--json").stdout)
        if one["user"] == name
        for deed in one["deeds"]
    }


def codes(name: str) -> list[str]:
    about = Subject.user(User.objects.get(username=name).pk)
    return list(Entry.objects.about(about).values_list("code", flat=True))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_a_set_of_deeds(archive: Archive, role: str) -> None:
    made = json.loads(archive.run("add-user", "ann", "--role", role, "--json").stdout)
    assert set(made["deeds"]) == {deed.value for deed in ROLES[role]} == deeds(archive, "ann")
    assert codes("ann") == ["account", *["grant"] * len(made["deeds"])]
    assert made["password"] not in str(list(Entry.objects.values()))


def test_it_and_auditors_cannot_listen() -> None:
    assert "listen" not in ROLES["technician"] | ROLES["auditor"]
    assert "custody" in ROLES["auditor"]


def test_an_account_is_made_with_some_right(archive: Archive) -> None:
    assert "--role" in archive.run("add-user", "ann", status=2).stderr
    archive.run("add-user", "ann", "--may", "custody", "--may", "list")
    assert deeds(archive, "ann") == {"custody", "list"}


def test_no_entry_holds_a_name(archive: Archive) -> None:
    archive.run("add-user", "wilhelmina.jones", "--role", "custodian", "--display-name", "Wilhelmina Jones")
    archive.run("set-password", "wilhelmina.jones")
    archive.run("disable-user", "wilhelmina.jones")
    everything = str(list(Entry.objects.values())).lower()
    # no shorter one: random identifiers spell those by chance
    assert "wilhelmina" not in everything
    assert "jones" not in everything


def test_the_password_that_was_shown_works_until_the_next_one(archive: Archive) -> None:
    shown = json.loads(archive.run("add-user", "ann", "--role", "custodian", "--json").stdout)
    assert authenticate(username="ann", password=shown["password"]) is not None
    later = json.loads(archive.run("set-password", "ann", "--json").stdout)
    assert authenticate(username="ann", password=shown["password"]) is None
    assert authenticate(username="ann", password=later["password"]) is not None
    assert codes("ann")[-2:] == ["password", "sign-in-refused"]


@pytest.mark.parametrize("typed", [" ann ", "ann\t", "ANN", "ａｎｎ"])  # noqa: RUF001 - full-width letters on purpose
def test_whatever_form_of_a_name_was_typed_signs_in(archive: Archive, typed: str) -> None:
    shown = json.loads(archive.run("add-user", typed, "--role", "custodian", "--json").stdout)
    assert shown["user"] == "ann"
    for one in ("ann", typed):
        assert authenticate(username=one, password=shown["password"]) is not None


@pytest.mark.parametrize("name", ["", "   ", "x" * 151, "ann\njones", "ann jones", "<script>", "a\0b"])
def test_a_name_that_could_never_sign_in_is_refused(archive: Archive, name: str) -> None:
    assert "cannot make the account" in archive.run("add-user", name, "--role", "custodian", status=2).stderr
    assert not User.objects.exists()
    assert not Entry.objects.filter(code="account").exists()


def test_a_name_that_is_taken(archive: Archive) -> None:
    archive.run("add-user", "ann", "--role", "custodian")
    assert "already" in archive.run("add-user", "Ann", "--role", "custodian", status=2).stderr


def test_rights_are_granted_and_taken_away_one_by_one(archive: Archive) -> None:
    archive.run("add-user", "ann", "--role", "technician")
    archive.run("grant", "ann", "look", "custody")
    kept = {"boxes", "checks", "list", "look", "custody"}
    assert deeds(archive, "ann") == kept | {"board"}
    archive.run("revoke", "ann", "board")
    archive.run("revoke", "ann", "board")
    assert deeds(archive, "ann") == kept
    assert codes("ann") == ["account", *["grant"] * 6, "revoke"]
    archive.run("grant", "ann", "board")
    assert deeds(archive, "ann") == kept | {"board"}


def test_a_right_is_granted_for_a_time(archive: Archive) -> None:
    archive.run("add-user", "ann", "--role", "technician")
    archive.run("grant", "ann", "listen", "--until", "2999-01-01T10:00")
    assert "listen" in deeds(archive, "ann")
    assert Grant.objects.get(deed="listen").valid_until is not None
    assert "revoke" in archive.run("grant", "ann", "look", "--until", "2001-01-01", status=2).stderr
    assert "--until" in archive.run("grant", "ann", "look", "--until", "soon", status=2).stderr
    assert "look" not in deeds(archive, "ann")


def test_a_new_password_ends_the_sessions(archive: Archive, client: Any) -> None:
    client.force_login(make_user("ann", role="technician"))
    assert client.get("/rooms/").status_code == 200
    archive.run("set-password", "ann")
    assert client.get("/rooms/").status_code == 302


def test_an_operator_helps_who_lost_password_and_phone(archive: Archive) -> None:
    """Where nobody else may do as much as that person, nobody else can touch the account on a page."""
    make_user("ann", role="custodian")
    theirs = sign_in("ann")
    set_up_app(theirs)
    shown = json.loads(archive.run("set-password", "ann", "--json").stdout)
    assert "factor-end" not in codes("ann"), "only where it is asked for"
    archive.run("set-password", "ann", "--second-step")
    assert not is_signed_in(theirs)
    assert codes("ann")[-3:] == ["password", "factor-end", "account-anew"]
    assert authenticate(username="ann", password=shown["password"]) is None


def test_an_account_ends_now_or_at_a_moment(archive: Archive) -> None:
    shown = json.loads(archive.run("add-user", "ann", "--role", "custodian", "--json").stdout)
    archive.run("disable-user", "ann", "--until", "2999-01-01T10:00")
    assert authenticate(username="ann", password=shown["password"]) is not None
    archive.run("disable-user", "ann")
    assert authenticate(username="ann", password=shown["password"]) is None
    assert deeds(archive, "ann") == set()
    ended = ["account-end", "rights-end"]
    assert codes("ann")[-5:] == [*ended, *ended, "sign-in-refused"]
    assert "--until" in archive.run("disable-user", "ann", "--until", "tomorrow", status=2).stderr


def test_ending_an_account_says_what_ends_with_it(archive: Archive) -> None:
    archive.run("add-user", "ann", "--role", "technician", "--json")
    archive.run("grant", "ann", "listen", "--until", "2999-01-01T10:00")
    told = json.loads(archive.run("disable-user", "ann", "--json").stdout)
    assert {one["deed"] for one in told["ends"]} == {*(deed.value for deed in ROLES["technician"]), "listen"}
    assert {(one["scope"], one["scope_id"]) for one in told["ends"]} == {("district", "")}
    entry = Entry.objects.get(code="rights-end")
    assert "listen" in entry.member("deeds").split()
    assert "ends with it: listen (district)" in archive.run("disable-user", "ann").stdout


def test_a_session_of_an_account_that_ended_does_not_come_back_with_it(archive: Archive) -> None:
    make_user("ann", role="technician")
    theirs = sign_in("ann")
    archive.run("disable-user", "ann")
    User.objects.update(active_until=None)
    assert not is_signed_in(theirs)
    assert is_signed_in(sign_in("ann"))


@pytest.mark.parametrize("command", ["disable-user", "set-password"])
def test_an_account_that_is_not_there(archive: Archive, command: str) -> None:
    assert "list-users" in archive.run(command, "nobody", status=2).stderr


def test_a_person_who_was_erased_leaves_entries_that_hold(archive: Archive) -> None:
    archive.run("add-user", "ann", "--role", "custodian")
    User.objects.get(username="ann").delete()
    archive.run("check-custody")
