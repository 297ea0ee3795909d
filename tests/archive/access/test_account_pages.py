"""The accounts' pages: made, listed, ended; nobody hands out more than they have, or changes their own account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.access.accounts import NotYoursError, hand_out, invite, roles_of
from archive.access.deeds import ROLES, Deed
from archive.access.models import Grant
from archive.access.people import grant
from archive.access.scopes import Scope
from archive.accounts.models import Invitation, ProviderSubject, User
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import codes_about, is_signed_in, set_up_app, sign_in
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import Node, check
from tests.support.archives import Archive


def page_of(client: Any, place: str) -> Node:
    answer = client.get(place)
    assert answer.status_code == 200, place
    return check(answer.content.decode())


def deeds_of(user: User) -> set[str]:
    return set(Grant.objects.filter(user=user, valid_until=None).values_list("deed", flat=True))


def test_an_account_is_made_with_a_role_and_its_link_is_shown_once(archive: Archive, custodian: Any) -> None:
    page_of(custodian, "/accounts/new/")
    answer = custodian.post("/accounts/new/", {"username": "Ann", "display_name": "Ann Jones", "role": "technician"})
    page = check(answer.content.decode())
    (link,) = [one.get("value") for one in page.all("input") if "/sign-in/invitation/" in one.get("value")]
    user = User.objects.get(username="ann")
    assert deeds_of(user) == set(ROLES["technician"])
    assert codes_about(user) == ["account", *["grant"] * len(ROLES["technician"]), "invitation"]
    assert {entry.actor_type for entry in Entry.objects.filter(subject_id=str(user.pk))} == {"user"}
    text = page_of(custodian, f"/accounts/{user.pk}/")
    assert link.split("/")[-2] not in str(text.attributes) + text.text
    assert "given out, not used yet" in text.text
    assert Client().get(link.removeprefix("http://testserver")).status_code == 200


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "required"),
        ({"username": "ann jones"}, "without spaces"),
        ({"username": "m.jones"}, "already"),
        ({"username": "x" * 151}, "150"),
        ({"username": "ann", "role": "emperor"}, "not one of the available choices"),
        ({"username": "<script>"}, "letters, digits"),
    ],
)
def test_what_cannot_be_an_account_is_said_at_its_field(
    archive: Archive, custodian: Any, form: dict[str, str], told: str
) -> None:
    before = User.objects.count()
    answer = custodian.post("/accounts/new/", form)
    assert told in check(answer.content.decode()).text
    assert User.objects.count() == before


def test_the_list_shows_role_state_and_finds_by_name(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob.smith", role="technician")
    bob.display_name = "Bob Smith"
    bob.save()
    odd = make_user("odd", Deed.LIST)
    grant(odd, Deed.LOOK, by=ARCHIVE, scope=Scope.recording("0" * 32))
    text = page_of(custodian, "/accounts/").one("table").text
    assert "Bob Smith" in text
    assert "technician" in text
    assert "list, 1 bounded grant" in text
    found = page_of(custodian, "/accounts/?q=SMITH").one("tbody")
    assert [row.one("th").text for row in found.all("tr")] == ["Bob Smith"]
    assert "No account fits." in page_of(custodian, "/accounts/?q=nobody").text


def test_a_long_list_has_pages_and_few_queries(archive: Archive, custodian: Any) -> None:
    for n in range(60):
        make_user(f"user{n:02}", role="technician")
    with CaptureQueriesContext(connection) as counted:
        page = page_of(custodian, "/accounts/")
    assert len(page.one("tbody").all("tr")) == 50
    assert len(counted) <= 12, [one["sql"] for one in counted]
    assert len(page_of(custodian, "/accounts/?page=2").one("tbody").all("tr")) == 11


def test_an_account_is_ended_and_its_session_with_it(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", role="technician")
    theirs = sign_in("bob")
    answer = custodian.post(f"/accounts/{bob.pk}/end/", follow=True)
    assert "The account has ended" in check(answer.content.decode()).text
    assert not is_signed_in(theirs)
    assert codes_about(bob)[-2:] == ["account-end", "rights-end"]
    assert sign_in("bob").answer.status_code == 200  # type: ignore[attr-defined]
    assert "ended" in page_of(custodian, "/accounts/").one("table").text


def test_rights_end_with_their_account_on_every_list(archive: Archive, custodian: Any) -> None:
    """Nobody can use them, so no page shows them as open; what ended, and with what, stays told."""
    bob = make_user("bob", role="technician")
    grant(bob, Deed.LOOK, by=ARCHIVE, scope=Scope.recording("0" * 32))
    before = page_of(custodian, f"/accounts/{bob.pk}/").text
    assert "5 rights that are listed above end with it" in before
    answer = check(custodian.post(f"/accounts/{bob.pk}/end/", follow=True).content.decode()).text
    assert "5 rights ended with it." in answer
    assert "What ended with this account" in answer
    assert "What it may do" not in answer
    listed = page_of(custodian, "/accounts/").one("table").text
    assert "nothing any more; ended with the account: technician, 1 bounded grant" in listed
    assert not Grant.objects.filter(user=bob).at(timezone.now()).exists()
    entries = {
        entry.member("scope"): (entry.member("deeds"), entry.member("scope_id"))
        for entry in Entry.objects.filter(code="rights-end", subject_id=str(bob.pk))
    }
    assert entries["recording"] == ("look", "0" * 32)
    assert set(entries["district"][0].split()) == {deed.value for deed in ROLES["technician"]}


def test_sessions_of_somebody_else_are_ended(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", role="technician")
    clients = [sign_in("bob"), sign_in("bob")]
    answer = custodian.post(f"/accounts/{bob.pk}/sessions/", follow=True)
    assert "2 sessions were ended." in check(answer.content.decode()).text
    assert not any(is_signed_in(client) for client in clients)
    assert codes_about(bob)[-1] == "sessions-end"
    assert is_signed_in(sign_in("bob")), "the account still works"


def test_a_lost_phone(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", role="technician")
    theirs = sign_in("bob")
    set_up_app(theirs)
    assert "authenticator app" in page_of(custodian, f"/accounts/{bob.pk}/").text
    custodian.post(f"/accounts/{bob.pk}/second-step/")
    assert not is_signed_in(theirs)
    assert codes_about(bob)[-1] == "factor-end"
    assert is_signed_in(sign_in("bob"))


def test_a_forgotten_password(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", role="technician")
    page = custodian.post(f"/accounts/{bob.pk}/invitation/").content.decode()
    (link,) = re.findall(r"http://testserver(/sign-in/invitation/[^/]+/)", page)
    client = Client()
    client.post(link, {"new_password1": "another 13579 word", "new_password2": "another 13579 word"})
    assert is_signed_in(client)


def test_a_role_is_handed_out_later_and_grants_only_what_is_missing(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", Deed.BOARD)
    custodian.post(f"/accounts/{bob.pk}/role/", {"role": "technician"})
    assert deeds_of(bob) == set(ROLES["technician"])
    assert codes_about(bob) == ["grant"] * (len(ROLES["technician"]) - 1)
    answer = custodian.post(f"/accounts/{bob.pk}/role/", {"role": ""}, follow=True)
    assert "Choose a role first." in check(answer.content.decode()).text


def test_a_role_is_taken_back(archive: Archive, custodian: Any) -> None:
    """Who moves to another work keeps the account and loses the role, at once and as entries."""
    bob = make_user("bob", role="technician")
    grant(bob, Deed.LOOK, by=ARCHIVE, scope=Scope.recording("0" * 32))
    theirs = sign_in("bob")
    assert theirs.get("/rooms/").status_code == 200
    selects = page_of(custodian, f"/accounts/{bob.pk}/").all("select")
    (offered,) = [one for one in selects if one.get("name") == "taken"]
    assert [one.get("value") for one in offered.all("option")] == ["", "technician", "everything"]
    answer = custodian.post(f"/accounts/{bob.pk}/role/end/", {"taken": "technician"}, follow=True)
    assert "4 rights were taken back." in check(answer.content.decode()).text
    assert theirs.get("/rooms/").status_code == 403
    assert deeds_of(bob) == {Deed.LOOK}, "what reaches one recording or student is another page's"
    assert codes_about(bob)[-4:] == ["revoke"] * 4
    again = custodian.post(f"/accounts/{bob.pk}/role/end/", {"taken": "technician"}, follow=True)
    assert "Nothing was changed." in check(again.content.decode()).text


def test_what_another_role_gives_stays(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", *ROLES["auditor"], role="technician")
    custodian.post(f"/accounts/{bob.pk}/role/end/", {"taken": "technician"})
    assert deeds_of(bob) == set(ROLES["auditor"]), "the list of recordings is both roles'"


def test_single_rights_are_taken_back_with_everything(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", Deed.BOARD, Deed.LISTS)
    for taken in ("", "technician", "emperor"):
        custodian.post(f"/accounts/{bob.pk}/role/end/", {"taken": taken})
        assert deeds_of(bob) == {Deed.BOARD, Deed.LISTS}
    custodian.post(f"/accounts/{bob.pk}/role/end/", {"taken": "everything"})
    assert deeds_of(bob) == set()


def test_an_ended_account_is_opened_again_with_nothing_granted(archive: Archive, custodian: Any) -> None:
    """A teacher who returns has the account of before, and what is granted anew."""
    bob = make_user("bob", role="technician")
    Grant.objects.create(user=bob, deed=Deed.LOOK, valid_from=timezone.now() + timedelta(days=1))
    custodian.post(f"/accounts/{bob.pk}/invitation/")
    custodian.post(f"/accounts/{bob.pk}/end/")
    assert "Open this account again" in page_of(custodian, f"/accounts/{bob.pk}/").text
    answer = custodian.post(f"/accounts/{bob.pk}/open/", follow=True)
    assert "The account is open again." in check(answer.content.decode()).text
    theirs = sign_in("bob")
    assert is_signed_in(theirs)
    assert theirs.get("/rooms/").status_code == 403
    assert not Grant.objects.filter(user=bob).at(timezone.now() + timedelta(days=2)).exists()
    assert not Invitation.objects.filter(user=bob).exists()
    told = codes_about(bob)
    assert [told.count(code) for code in ("account-end", "account-open", "revoke")] == [1, 1, 5]
    again = custodian.post(f"/accounts/{bob.pk}/open/", follow=True)
    assert "Nothing was changed." in check(again.content.decode()).text


@pytest.mark.parametrize("role", ["", "emperor"])
def test_an_offer_that_is_gone_grants_nothing(archive: Archive, custodian: Any, role: str) -> None:
    """The page stood open while the provider's groups stopped offering a role."""
    issuer, subject = "https://id.example.org", "s-1"
    bob = User.objects.create_user(None, oidc_issuer=issuer, oidc_subject=subject)
    ProviderSubject.objects.create(
        issuer=issuer, subject=subject, roles=[role], roles_settled=["custodian"], last_at=timezone.now()
    )
    answer = custodian.post(f"/accounts/{bob.pk}/offer/", {"answer": "accept", "role": role})
    assert answer.status_code == 302
    assert deeds_of(bob) == set()


BUTTONS = ("role", "role/end", "open", "offer", "invitation", "second-step", "sessions", "end")


@pytest.mark.parametrize("button", BUTTONS)
def test_nobody_changes_their_own_account(archive: Archive, custodian: Any, button: str) -> None:
    own = User.objects.get(username="m.jones")
    before = codes_about(own)
    fields = {"role": "custodian", "answer": "accept", "taken": "everything"}
    assert custodian.post(f"/accounts/{own.pk}/{button}/", fields).status_code == 403
    assert codes_about(own) == before
    forms = [form.get("action") for form in page_of(custodian, f"/accounts/{own.pk}/").all("form")]
    assert not [action for action in forms if str(own.pk) in action]


def test_nobody_hands_out_more_than_they_may(archive: Archive) -> None:
    helper = make_user("helper", Deed.ACCOUNTS, *ROLES["technician"])
    assert roles_of(helper) == ["technician"]
    client = archive.client()
    client.force_login(helper)
    answer = client.post("/accounts/new/", {"username": "mallory", "role": "custodian"})
    assert "not one of the available choices" in check(answer.content.decode()).text
    with pytest.raises(NotYoursError):
        invite("mallory", "", "custodian", by=helper)
    with pytest.raises(NotYoursError):
        hand_out(make_user("bob"), "custodian", by=helper)
    assert not User.objects.filter(username="mallory").exists()


def test_a_bounded_grant_is_not_the_whole_district(archive: Archive) -> None:
    helper = make_user("helper", Deed.ACCOUNTS, Deed.BOARD)
    grant(helper, Deed.LIST, by=ARCHIVE, scope=Scope.school("1"))
    assert roles_of(helper) == []


@pytest.mark.parametrize("role", [role for role, deeds in ROLES.items() if Deed.ACCOUNTS not in deeds])
def test_only_who_may_sees_accounts(archive: Archive, role: str) -> None:
    client = signed_in(archive, "p.smith", role=role)
    assert client.get("/accounts/").status_code == 403
    assert client.post("/accounts/new/", {"username": "mallory"}).status_code == 403
    assert not User.objects.filter(username="mallory").exists()


def test_an_account_that_is_not_there(archive: Archive, custodian: Any) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for button in BUTTONS:
        assert custodian.post(f"/accounts/{nobody}/{button}/").status_code == 404
    assert custodian.get(f"/accounts/{nobody}/").status_code == 404


def test_a_name_that_is_markup_stays_text(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob")
    bob.display_name = "<b onclick=alert(1)>\u202eBob"
    bob.save()
    for place in ("/accounts/", f"/accounts/{bob.pk}/"):
        page_of(custodian, place)


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("more", ["a role", "a bounded right", "a right to come"])
def test_an_account_that_may_do_more_is_not_touched(archive: Archive, button: str, more: str) -> None:
    """Without its second step and with its link in hand, whoever looks after accounts would be that person."""
    chief = make_user("chief", Deed.ACCOUNTS, role="custodian" if more == "a role" else None)
    if more == "a bounded right":
        grant(chief, Deed.LISTEN, by=ARCHIVE, scope=Scope.student("00000000-0000-0000-0000-000000000001"))
    if more == "a right to come":
        Grant.objects.create(user=chief, deed=Deed.LISTEN, valid_from=timezone.now() + timedelta(days=1))
    theirs = sign_in("chief")
    set_up_app(theirs)
    before = codes_about(chief)
    helper = signed_in(archive, "helper", Deed.ACCOUNTS, *ROLES["technician"])
    fields = {"role": "technician", "answer": "accept", "taken": "everything"}
    assert helper.post(f"/accounts/{chief.pk}/{button}/", fields).status_code == 403
    assert codes_about(chief) == before
    assert is_signed_in(theirs)
    page = page_of(helper, f"/accounts/{chief.pk}/")
    assert "may do more than yours" in page.text
    assert not [form for form in page.all("form") if str(chief.pk) in form.get("action")]


def test_somebody_with_the_same_rights_touches_it(archive: Archive, custodian: Any) -> None:
    chief = make_user("chief", role="custodian")
    parent = make_user("parent")
    for deed in (Deed.OWN, Deed.LOOK, Deed.LISTEN):
        grant(parent, deed, by=ARCHIVE, scope=Scope.student("00000000-0000-0000-0000-000000000001"))
    for user in (chief, parent):
        assert custodian.post(f"/accounts/{user.pk}/invitation/").status_code == 200
        assert codes_about(user)[-1] == "invitation"


def test_taking_away_what_is_not_there_leaves_no_entry(archive: Archive, custodian: Any) -> None:
    bob = make_user("bob", role="technician")
    theirs = sign_in("bob")
    answer = custodian.post(f"/accounts/{bob.pk}/second-step/", follow=True)
    assert "There was no second step." in check(answer.content.decode()).text
    assert "factor-end" not in codes_about(bob)
    assert is_signed_in(theirs)
