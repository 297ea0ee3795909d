"""A second factor: who must have one, that each code counts once, and that what is done with it is an entry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from archive.access.deeds import Deed
from archive.access.people import grant
from archive.access.second_factor import NEEDING
from archive.accounts.models import User
from archive.accounts.throttle import MAX_PAIR
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import (
    code_of,
    codes_about,
    is_signed_in,
    set_up_app,
    sign_in,
    sign_in_settings,
)
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.pages import check
from tests.support.archives import Archive


@pytest.fixture
def ann(archive: Archive) -> Iterator[User]:
    """A custodian, where a second factor is required as it is by default."""
    with sign_in_settings(second_factor="required"):
        yield make_user("ann", role="custodian")


@pytest.fixture
def with_app(ann: User) -> tuple[User, str, list[str]]:
    """The same with an authenticator app: its secret and the recovery codes."""
    return ann, *set_up_app(sign_in("ann"))


def second(client: Client, code: str) -> int:
    return client.post("/sign-in/second-factor/", {"code": code}).status_code


def test_who_may_hear_reaches_only_their_own_sign_ins_until_a_factor_is_set_up(ann: User) -> None:
    client = sign_in("ann")
    for place in ("/", "/recordings/", "/rooms.json", "/accounts/"):
        assert client.get(place).headers["Location"] == "/my/"
    page = check(client.get("/my/").content.decode())
    assert "Set up a second step first" in page.text
    set_up_app(client)
    assert client.get("/recordings/").status_code == 200
    assert "Set up a second step first" not in check(client.get("/my/").content.decode()).text


@pytest.mark.parametrize(
    "deed",
    [
        *(Deed.LISTEN, Deed.DOWNLOAD, Deed.RESTRICT, Deed.REDACT, Deed.TRANSCRIBE, Deed.DISCLOSE),
        *(Deed.FILE, Deed.CORRECT, Deed.REQUESTS, Deed.GRANT, Deed.ACCOUNTS),
    ],
)
def test_who_hears_hands_out_or_says_who_may_needs_a_factor(archive: Archive, deed: Deed) -> None:
    make_user("bob", deed)
    with sign_in_settings(second_factor="required"):
        assert sign_in("bob").get("/").headers.get("Location") == "/my/"


@pytest.mark.parametrize("deed", Deed)
def test_which_deeds_need_a_factor(archive: Archive, deed: Deed) -> None:
    make_user("bob", deed)
    with sign_in_settings(second_factor="required"):
        held_back = sign_in("bob").get("/").headers.get("Location") == "/my/"
    assert held_back is (deed in NEEDING)


def test_a_right_that_is_granted_during_a_session_counts_at_once(archive: Archive) -> None:
    bob = make_user("bob", role="technician")
    with sign_in_settings(second_factor="required"):
        client = sign_in("bob")
        assert client.get("/rooms/").status_code == 200
        grant(bob, Deed.LISTEN, by=ARCHIVE)
        assert client.get("/rooms/").headers["Location"] == "/my/"


def test_where_it_is_optional_nobody_is_held_back(archive: Archive) -> None:
    make_user("ann", role="custodian")
    assert sign_in("ann").get("/recordings/").status_code == 200


def test_whoever_has_an_app_is_asked_for_its_code(with_app: tuple[User, str, list[str]]) -> None:
    _ann, secret, _codes = with_app
    client = sign_in("ann", next="/recordings/")
    assert client.answer.headers["Location"] == "/sign-in/second-factor/"  # type: ignore[attr-defined]
    assert not is_signed_in(client)
    page = check(client.get("/sign-in/second-factor/").content.decode())
    assert "Code from your authenticator app" in page.text
    assert second(client, "000000" if code_of(secret) != "000000" else "111111") == 200
    assert not is_signed_in(client)
    answer = client.post("/sign-in/second-factor/", {"code": code_of(secret)})
    assert answer.headers["Location"] == "/recordings/"
    assert client.get("/recordings/").status_code == 200


def test_a_code_counts_once_also_in_another_process(with_app: tuple[User, str, list[str]]) -> None:
    from django.core.cache import cache  # noqa: PLC0415 - only this test empties it

    _ann, secret, _codes = with_app
    code = code_of(secret)
    assert second(sign_in("ann"), code) == 302
    cache.clear()  # another process has a cache of its own
    again = sign_in("ann")
    assert second(again, code) == 200
    assert not is_signed_in(again)


def test_a_recovery_code_counts_once_and_is_an_entry(with_app: tuple[User, str, list[str]]) -> None:
    ann, _secret, codes = with_app
    assert len(codes) == 10
    assert second(sign_in("ann"), codes[0]) == 302
    assert "recovery-code" in codes_about(ann)
    assert second(sign_in("ann"), codes[0]) == 200
    page = check(sign_in_by_code("ann", codes[1]).get("/my/").content.decode())
    assert "8 recovery codes are left" in page.text
    signed_in_how = [entry.member("how") for entry in Entry.objects.filter(code="sign-in")]
    assert signed_in_how == ["password", "password-and-recovery-code", "password-and-recovery-code"]


def sign_in_by_code(name: str, code: str) -> Client:
    client = sign_in(name)
    assert second(client, code) == 302
    return client


def test_codes_are_shown_once(with_app: tuple[User, str, list[str]]) -> None:
    _ann, secret, codes = with_app
    client = sign_in_by_code("ann", code_of(secret))
    page = client.get("/my/recovery-codes/").content.decode()
    assert codes[0] not in page
    assert "Codes are shown once" in check(page).text


def test_guessing_codes_is_slow_and_touches_no_password(with_app: tuple[User, str, list[str]]) -> None:
    ann, secret, _codes = with_app
    thief = sign_in("ann")
    wrong = "000000" if code_of(secret) != "000000" else "111111"
    assert [second(thief, wrong) for _ in range(MAX_PAIR + 2)] == [200] * MAX_PAIR + [429] * 2
    assert second(thief, code_of(secret)) == 429, "not even the right one"
    refused = [entry.member("why") for entry in Entry.objects.filter(code="sign-in-refused", subject_id=str(ann.pk))]
    assert refused == ["second-factor"] * MAX_PAIR + ["throttled"]
    assert sign_in("ann").answer.status_code == 302, "the password is asked as before"  # type: ignore[attr-defined]


def test_who_knows_the_password_locks_its_owner_out_of_no_browser_that_they_use(
    with_app: tuple[User, str, list[str]],
) -> None:
    _ann, secret, codes = with_app
    owner = sign_in_by_code("ann", codes[0])
    owner.post("/sign-out/")
    thief = sign_in("ann")
    for _ in range(MAX_PAIR + 1):
        second(thief, "99999999")
    assert second(thief, "99999999") == 429
    sign_in("ann", owner)
    assert second(owner, code_of(secret, 1)) == 302


def test_adding_and_taking_away_are_entries_and_end_other_sessions(ann: User) -> None:
    here, there = sign_in("ann"), sign_in("ann")
    secret, _codes = set_up_app(here)
    assert is_signed_in(here)
    assert not is_signed_in(there)
    answer = here.post("/my/app/remove/")
    assert answer.headers["Location"] == "/my/"
    assert not Authenticator.objects.filter(user=ann).exists(), "recovery codes go with the last factor"
    assert codes_about(ann) == ["sign-in", "sign-in", "factor", "factor-end"]
    assert here.get("/recordings/").headers["Location"] == "/my/", "and the next one has to be set up first"
    assert secret not in str(list(Entry.objects.values()))


def test_new_recovery_codes_replace_the_old_ones(with_app: tuple[User, str, list[str]]) -> None:
    ann, secret, codes = with_app
    client = sign_in_by_code("ann", code_of(secret))
    assert client.post("/my/recovery-codes/new/").headers["Location"] == "/my/recovery-codes/"
    assert [entry.member("factor") for entry in Entry.objects.filter(code="factor")] == ["totp", "recovery_codes"]
    assert second(sign_in("ann"), codes[3]) == 200
    assert codes_about(ann)[-1] == "sign-in-refused"


def test_secrets_are_sealed_in_the_database(with_app: tuple[User, str, list[str]]) -> None:
    _ann, secret, codes = with_app
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret.replace(" ", "") not in kept
    assert codes[0] not in kept


def test_a_change_a_while_after_the_sign_in_asks_again_who_it_is(ann: User) -> None:
    client = sign_in("ann")
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()
    assert client.get("/my/app/").headers["Location"] == "/my/confirm/?next=%2Fmy%2Fapp%2F"
    page = check(client.get("/my/confirm/?next=/my/app/").content.decode())
    assert "Is it you?" in page.text
    wrong = check(client.post("/my/confirm/", {"password": "wrong", "next": "/my/app/"}).content.decode())
    assert "The password is wrong." in wrong.text
    assert client.post("/my/confirm/", {"password": PASSWORD, "next": "/my/app/"}).headers["Location"] == "/my/app/"
    assert client.get("/my/app/").status_code == 200


def test_a_password_that_is_asked_again_is_throttled(ann: User) -> None:
    client = sign_in("ann")
    for _ in range(20):
        answer = client.post("/my/confirm/", {"password": "guess"})
    assert "Too many attempts failed" in check(answer.content.decode()).text
