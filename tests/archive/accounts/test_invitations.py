"""A one-time link: whoever has it chooses a password, once; nobody else ever knows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from archive.access.accounts import invite, invite_again
from archive.accounts.models import Invitation, User
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import codes_about, is_signed_in
from tests.archive.page_fixtures import make_user
from tests.archive.pages import check
from tests.support.archives import Archive

NEW = "another 13579 word"


@pytest.fixture
def invited(archive: Archive) -> tuple[User, str]:
    """An account that was just made, and its link."""
    user, text = invite("ann", "Ann Jones", "technician", by=make_user("m.jones", role="custodian"))
    return user, f"/sign-in/invitation/{text}/"


def choose(client: Client, link: str, password: str = NEW) -> Any:
    return client.post(link, {"new_password1": password, "new_password2": password})


def test_a_link_sets_the_password_and_signs_in_once(invited: tuple[User, str]) -> None:
    user, link = invited
    client = Client()
    assert "ann" in check(client.get(link).content.decode()).text
    client.get(link)
    assert choose(client, link).headers["Location"] == "/"
    assert is_signed_in(client)
    assert client.get("/rooms/").status_code == 200
    assert codes_about(user)[-2:] == ["password", "sign-in"]
    for method in ("get", "post"):
        answer = getattr(Client(), method)(link)
        assert answer.status_code == 410
        assert check(answer.content.decode()).one("h1").text == "This link does not work any more"


def test_a_weak_password_leaves_the_link_as_it_is(invited: tuple[User, str]) -> None:
    _user, link = invited
    client = Client()
    answer = choose(client, link, "password1234")
    assert "too common" in check(answer.content.decode()).text
    assert not is_signed_in(client)
    assert choose(client, link).status_code == 302


def test_nobody_signs_in_before_a_password_is_chosen(invited: tuple[User, str]) -> None:
    assert Client().post("/sign-in/", {"username": "ann", "password": ""}).status_code == 200
    assert not invited[0].has_usable_password()


def test_a_newer_link_ends_the_older_one(invited: tuple[User, str]) -> None:
    user, link = invited
    text = invite_again(user, by=User.objects.get(username="m.jones"))
    assert Client().get(link).status_code == 410
    assert choose(Client(), f"/sign-in/invitation/{text}/").status_code == 302


def test_a_link_that_is_too_old_or_whose_account_ended(invited: tuple[User, str]) -> None:
    user, link = invited
    Invitation.objects.update(valid_until=timezone.now())
    assert Client().get(link).status_code == 410
    Invitation.objects.update(valid_until=timezone.now() + timedelta(days=1))
    assert Client().get(link).status_code == 200
    user.active_until = timezone.now()
    user.save()
    assert Client().get(link).status_code == 410


@pytest.mark.parametrize("text", ["x", "0" * 43, "..", "%00", "a" * 5000])
def test_a_guessed_link_is_none(archive: Archive, text: str) -> None:
    assert Client().get(f"/sign-in/invitation/{text}/").status_code in {404, 410}


def test_neither_the_database_nor_the_log_has_the_link(invited: tuple[User, str]) -> None:
    text = invited[1].split("/")[-2]
    kept = str(list(Invitation.objects.values()) + list(Entry.objects.values()))
    assert text not in kept
    # of what it tells alone: random identifiers spell so short a name by chance
    assert "ann" not in str(list(Entry.objects.values_list("detail", flat=True))).lower()
