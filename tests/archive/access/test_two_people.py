"""Who gave out the link of an account could be whoever signs in with it, and is no second person beside it."""

from __future__ import annotations

import pytest

from archive.access.accounts import invite, invite_again
from archive.access.people import create_account
from archive.access.two_people import not_surely_others
from archive.accounts.models import User
from archive.custody.actors import Actor
from tests.archive.page_fixtures import make_user
from tests.archive.pages import check
from tests.support.archives import Archive

pytestmark = pytest.mark.usefixtures("archive")


def one_hand(one: User, other: User) -> bool:
    found = not_surely_others(one, [other.pk]) == {other.pk}
    assert found == (not_surely_others(other, [one.pk]) == {one.pk}), "it holds both ways or none"
    return found


def custodian(name: str) -> User:
    return make_user(name, role="custodian")


def made_by(maker: User, name: str) -> User:
    return invite(name, "", "custodian", by=maker)[0]


def test_accounts_that_an_operator_made_are_two_people() -> None:
    operator = Actor.operator()
    ann, bob = (create_account(name, "only for tests 2468", (), by=operator) for name in ("ann", "bob"))
    assert not one_hand(ann, bob)
    assert one_hand(ann, ann)


def test_who_made_an_account_is_no_second_person_beside_it() -> None:
    ann = custodian("ann")
    assert one_hand(ann, made_by(ann, "bob"))


def test_nor_is_who_gave_out_a_new_link_to_a_colleague_s_account() -> None:
    ann, bob = custodian("ann"), custodian("bob")
    assert not one_hand(ann, bob)
    invite_again(bob, by=ann)
    assert one_hand(ann, bob)


def test_two_accounts_that_one_person_made_are_in_one_hand_and_so_is_what_these_made() -> None:
    ann, other = custodian("ann"), custodian("other")
    bob, carl = made_by(ann, "bob"), made_by(ann, "carl")
    dora = made_by(carl, "dora")
    assert one_hand(bob, carl)
    assert one_hand(bob, dora)
    assert one_hand(ann, dora)
    assert not_surely_others(other, [ann.pk, bob.pk, carl.pk, dora.pk]) == set()


def test_it_ends_when_an_operator_gives_a_new_password_and_takes_the_second_step_away(archive: Archive) -> None:
    ann = custodian("ann")
    bob, carl = made_by(ann, "bob"), made_by(ann, "carl")
    archive.run("set-password", "bob")
    assert one_hand(ann, bob), "a passkey that was set up by the link opens the account still"
    archive.run("set-password", "bob", "--second-step")
    assert not one_hand(ann, bob)
    assert not one_hand(bob, carl)
    assert one_hand(ann, carl)
    invite_again(bob, by=ann)
    assert one_hand(ann, bob), "a link that is given out afterwards counts again"


def test_a_link_that_was_given_out_before_works_no_more(archive: Archive) -> None:
    ann = custodian("ann")
    bob, text = invite("bob", "", "custodian", by=ann)
    archive.run("set-password", "bob", "--second-step")
    assert archive.client().get(f"/sign-in/invitation/{text}/").status_code != 200
    assert not one_hand(ann, bob)


def test_whoever_makes_an_account_is_told_with_its_link(archive: Archive) -> None:
    client = archive.client()
    client.force_login(custodian("ann"))
    page = check(client.post("/accounts/new/", {"username": "bob", "role": "custodian"}).content.decode())
    assert page.one("h1").text == "Pass this link on"
    assert "this account and yours count as one" in page.text
