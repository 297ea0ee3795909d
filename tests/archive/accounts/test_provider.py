"""Signing in with a real OpenID provider on loopback: by issuer and subject alone, and by no token that lies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connections
from django.test import Client
from django.utils import timezone

from archive.access import deeds as access
from archive.access.accounts import make_from_provider
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.accounts.models import ProviderSubject, User
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import codes_about, is_signed_in, sign_in_settings
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import Node, check
from tests.support.archives import Archive
from tests.support.openid_provider import OpenIDProvider, openid_provider

ROLES = {"Directors": "custodian", "Helpdesk": "technician"}


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIDProvider]:
    with openid_provider() as made:
        yield made


@pytest.fixture
def provider(archive: Archive, running: OpenIDProvider, tmp_path: Path) -> Iterator[OpenIDProvider]:
    """A provider that the archive's settings name, honest until a test says otherwise."""
    running.lie, running.key, running.headers = None, None, {}
    with sign_in_settings(second_factor="required", provider=running.settings(tmp_path, roles=ROLES)):
        yield running


def known(provider: OpenIDProvider, subject: str, *deeds: Deed) -> User:
    user = make_user(f"name-of-{subject}", *deeds)
    user.oidc_issuer, user.oidc_subject, user.username = provider.issuer, subject, None
    user.save()
    return user


def through(provider: OpenIDProvider, subject: str, client: Client | None = None, **fields: str) -> tuple[Client, Any]:
    """Press the button, agree at the provider, come back."""
    client = client or Client()
    back = provider.agree(client.post("/sign-in/provider/", fields).content.decode(), subject)
    return client, client.get(back.removeprefix("http://testserver"))


def page_of(answer: Any) -> Node:
    return check(answer.content.decode())


def test_the_sign_in_offers_the_provider_where_there_is_one(provider: OpenIDProvider) -> None:
    assert "District sign-in" in [button.text for button in page_of(Client().get("/sign-in/")).all("button")]
    with sign_in_settings(provider=None):
        assert "District sign-in" not in page_of(Client().get("/sign-in/")).text
        assert Client().post("/sign-in/provider/").status_code == 404
        assert Client().get("/sign-in/provider/callback/").status_code == 404


def test_an_account_of_this_issuer_and_subject_signs_in(provider: OpenIDProvider) -> None:
    provider.know("s-1", name="Ann Jones")
    user = known(provider, "s-1", Deed.LIST)
    client, answer = through(provider, "s-1", next="/recordings/")
    assert answer.headers["Location"] == "/recordings/"
    assert client.get("/recordings/").status_code == 200
    assert codes_about(user) == ["sign-in"]
    assert [entry.member("how") for entry in Entry.objects.filter(code="sign-in")] == ["provider"]


def test_what_is_asked_of_the_provider(provider: OpenIDProvider) -> None:
    """State, nonce and PKCE; never an address of mail; and back to the site's own address."""
    page = Client().post("/sign-in/provider/").content.decode()
    address = unescape(page.split('content="0; url=')[1].split('"')[0])
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert set(asked["scope"].split()) == {"openid", "profile"}
    assert asked["redirect_uri"] == "http://testserver/sign-in/provider/callback/"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) >= 32
    assert len(asked["state"]) >= 16


def test_the_sign_in_leads_nowhere_else(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    assert through(provider, "s-1", next="https://example.org/")[1].headers["Location"] == "/"


def test_a_subject_that_is_not_known_gets_a_page_and_is_listed(provider: OpenIDProvider, archive: Archive) -> None:
    provider.know("s-unknown", name="Bea Ode", email="ann@example.org")
    user = make_user("ann@example.org", role="custodian")
    client, answer = through(provider, "s-unknown")
    page = page_of(answer)
    assert answer.status_code == 403
    assert page.one("h1").text == "Your account is not known here"
    assert "s-unknown" in page.text
    assert not is_signed_in(client)
    assert codes_about(user) == [], "no account is found by an address of mail"
    assert User.objects.count() == 1, "and none is made"
    refused = Entry.objects.get(code="sign-in-refused")
    assert (refused.member("why"), refused.subject_id) == ("unknown-subject", "")
    assert "Bea" not in str(list(Entry.objects.values()))
    assert "Bea Ode" in page_of(signed_in_strong(archive).get("/accounts/")).text


def signed_in_strong(archive: Archive) -> Any:
    """A custodian who has shown a second factor."""
    client = signed_in(archive, "m.jones", role="custodian")
    session = client.session
    session["second_factor"] = True
    session.save()
    return client


def test_an_account_is_made_of_who_tried_with_one_button(provider: OpenIDProvider, archive: Archive) -> None:
    provider.know("s-2", name="Bea Ode", groups=["Helpdesk", "Other"])
    through(provider, "s-2")
    custodian = signed_in_strong(archive)
    page = page_of(custodian.get("/accounts/"))
    assert "Their groups suggest the role technician" in page.text
    (form,) = [form for form in page.all("form") if form.get("action").endswith("/account/")]
    token = next(one.get("value") for one in form.all("input") if one.get("name") == "once")
    sent = {"role": "technician", "once": token}
    answer = custodian.post(form.get("action"), sent)
    made = User.objects.get(oidc_subject="s-2")
    assert answer.headers["Location"] == f"/accounts/{made.pk}/"
    assert custodian.post(form.get("action"), sent).headers["Location"] == f"/accounts/{made.pk}/", "twice is once"
    assert codes_about(made) == ["account", *["grant"] * len(access.ROLES["technician"])]
    client, answer = through(provider, "s-2")
    assert client.get("/rooms/").status_code == 200
    left = [form.get("action") for form in page_of(custodian.get("/accounts/")).all("form")]
    assert not [action for action in left if action.startswith("/accounts/tried/")]


def test_the_same_subject_of_another_issuer_is_somebody_else(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    user = known(provider, "s-1", Deed.LIST)
    user.oidc_issuer = "https://id.example.org"
    user.save()
    assert through(provider, "s-1")[1].status_code == 403


def test_an_account_that_ended_signs_in_no_more(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    user = known(provider, "s-1", Deed.LIST)
    user.active_until = timezone.now()
    user.save()
    client, answer = through(provider, "s-1")
    assert answer.status_code == 403
    assert page_of(answer).one("h1").text == "Your account here has ended"
    assert not is_signed_in(client)


def test_groups_offer_a_role_and_grant_nothing(provider: OpenIDProvider, archive: Archive) -> None:
    provider.know("s-1", groups=["Directors"])
    user = known(provider, "s-1")
    through(provider, "s-1")
    assert not Grant.objects.filter(user=user).exists()
    custodian = signed_in_strong(archive)
    page = page_of(custodian.get(f"/accounts/{user.pk}/"))
    assert "suggest the role custodian" in page.text
    assert "Nothing was granted by that." in page.text
    answer = {"role": "custodian", "answer": "accept"}
    custodian.post(f"/accounts/{user.pk}/offer/", answer)
    assert Grant.objects.filter(user=user, deed="listen").exists()
    through(provider, "s-1")
    assert "A role is offered" not in page_of(custodian.get(f"/accounts/{user.pk}/")).text
    provider.know("s-1", groups=["Helpdesk"])
    through(provider, "s-1")
    assert Grant.objects.filter(user=user, deed="listen").exists(), "groups take nothing away either"
    assert "suggest the role technician" in page_of(custodian.get(f"/accounts/{user.pk}/")).text
    custodian.post(f"/accounts/{user.pk}/offer/", {"role": "technician", "answer": "decline"})
    assert codes_about(user)[-2:] == ["sign-in", "offer-end"]
    assert "A role is offered" not in page_of(custodian.get(f"/accounts/{user.pk}/")).text


def offered(custodian: Any, user: User) -> str:
    text = page_of(custodian.get(f"/accounts/{user.pk}/")).text
    found = re.search(r"suggest the role (\w+)", text)
    return found[1] if found else ""


def settle(custodian: Any, user: User, role: str, answer: str) -> None:
    custodian.post(f"/accounts/{user.pk}/offer/", {"role": role, "answer": answer})


def test_what_is_offered_again_after_it_was_withdrawn_is_a_new_offer(
    provider: OpenIDProvider, archive: Archive
) -> None:
    provider.know("s-1", groups=["Directors"])
    user, custodian = known(provider, "s-1"), signed_in_strong(archive)
    through(provider, "s-1")
    settle(custodian, user, "custodian", "decline")
    through(provider, "s-1")
    assert offered(custodian, user) == "", "the same offer is shown once"
    for groups in ([], ["Directors"]):
        provider.know("s-1", groups=groups)
        through(provider, "s-1")
    assert offered(custodian, user) == "custodian"
    settle(custodian, user, "custodian", "accept")
    for groups in ([], ["Directors"]):
        provider.know("s-1", groups=groups)
        through(provider, "s-1")
    assert offered(custodian, user) == "", "what the person may do already is no offer"


def test_a_role_that_comes_beside_one_that_was_decided_on_is_offered(
    provider: OpenIDProvider, archive: Archive
) -> None:
    """Which group stands first in the settings hides no later one."""
    custodian = signed_in_strong(archive)
    for first, second in (("Directors", "Helpdesk"), ("Helpdesk", "Directors")):
        provider.know(f"s-{first}", groups=[first])
        user = known(provider, f"s-{first}")
        through(provider, f"s-{first}")
        settle(custodian, user, ROLES[first], "decline")
        provider.know(f"s-{first}", groups=[first, second])
        through(provider, f"s-{first}")
        assert offered(custodian, user) == ROLES[second]


def test_an_account_that_is_opened_again_is_offered_again_what_groups_say(
    provider: OpenIDProvider, archive: Archive
) -> None:
    provider.know("s-1", groups=["Directors"])
    user, custodian = known(provider, "s-1"), signed_in_strong(archive)
    through(provider, "s-1")
    settle(custodian, user, "custodian", "accept")
    custodian.post(f"/accounts/{user.pk}/end/")
    assert offered(custodian, user) == "", "an account that ended is offered nothing"
    custodian.post(f"/accounts/{user.pk}/open/")
    assert offered(custodian, user) == "custodian"


def test_whoever_was_taken_off_the_list_stands_there_again_with_a_new_offer(
    provider: OpenIDProvider, archive: Archive
) -> None:
    provider.know("s-7", groups=[])
    through(provider, "s-7")
    custodian = signed_in_strong(archive)
    custodian.post(f"/accounts/tried/{ProviderSubject.objects.get().pk}/dismiss/")
    through(provider, "s-7")
    assert "s-7" not in page_of(custodian.get("/accounts/")).text
    provider.know("s-7", groups=["Directors"])
    through(provider, "s-7")
    assert "suggest the role custodian" in page_of(custodian.get("/accounts/")).text


@pytest.mark.parametrize("groups", [None, "Directors", 7])
def test_a_missing_claim_keeps_what_was_and_warns(
    provider: OpenIDProvider, archive: Archive, caplog: pytest.LogCaptureFixture, groups: Any
) -> None:
    provider.know("s-1", groups=["Directors"])
    user = known(provider, "s-1")
    through(provider, "s-1")
    provider.know("s-1", **({} if groups is None else {"groups": groups}))
    through(provider, "s-1")
    person = ProviderSubject.objects.get(subject="s-1")
    assert (person.role, person.groups_missing) == ("custodian", True)
    assert "what groups offer stays as it was" in caplog.text
    page = page_of(signed_in_strong(archive).get(f"/accounts/{user.pk}/"))
    assert "did not say which groups the person is in" in page.text


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda claims: claims | {"iss": "https://id.example.org"},
    "another audience": lambda claims: claims | {"aud": ["another"]},
    "one more audience without a party": lambda claims: claims | {"aud": ["plain-sight", "another"]},
    "another party": lambda claims: claims | {"azp": "another"},
    "another nonce": lambda claims: claims | {"nonce": "x" * 43},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "a nonce that is none": lambda claims: claims | {"nonce": 7},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 120},
    "without an end": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "not valid yet": lambda claims: claims | {"nbf": int(time.time()) + 3600},
    "issued in the future": lambda claims: claims | {"iat": int(time.time()) + 3600},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    "an empty subject": lambda claims: claims | {"sub": ""},
    "a long subject": lambda claims: claims | {"sub": "x" * 256},
    "a subject with a line's end": lambda claims: claims | {"sub": "s-1\n"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_lies_signs_nobody_in(provider: OpenIDProvider, lie: str) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    provider.lie = LIES[lie]
    client, answer = through(provider, "s-1")
    assert answer.status_code == 502, lie
    assert page_of(answer).one("h1").text == "Signing in did not work"
    assert not is_signed_in(client)
    assert [entry.member("why") for entry in Entry.objects.filter(code="sign-in-refused")] == ["provider-answer"]


@pytest.mark.parametrize("how", ["another key", "no signature", "the client's secret", "another key's name"])
def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(provider: OpenIDProvider, how: str) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    if how == "another key":
        provider.key = rsa.generate_private_key(65537, 2048)
    elif how == "no signature":
        provider.headers = {"alg": "none"}
    elif how == "the client's secret":
        provider.key, provider.headers = "only for tests" * 4, {"alg": "HS256"}
    else:
        provider.headers = {"kid": "somebody"}
    client, answer = through(provider, "s-1")
    assert answer.status_code == 502
    assert not is_signed_in(client)


def test_a_state_of_another_browser_or_of_nobody_is_refused(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    back = provider.agree(Client().post("/sign-in/provider/").content.decode(), "s-1").removeprefix("http://testserver")
    for client, place in [
        (Client(), back),
        (Client(), "/sign-in/provider/callback/"),
        (Client(), "/sign-in/provider/callback/?code=x&state=y"),
    ]:
        answer = client.get(place)
        assert answer.status_code == 403
        assert "Begin again." in page_of(answer).text
        assert not is_signed_in(client)
    assert not Entry.objects.filter(code="sign-in-refused").exists(), "what anybody can send again fills no log"


def test_an_answer_counts_once(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    client = Client()
    back = provider.agree(client.post("/sign-in/provider/").content.decode(), "s-1").removeprefix("http://testserver")
    assert client.get(back).status_code == 302
    client.post("/sign-out/")
    assert client.get(back).status_code == 403
    assert not is_signed_in(client)


def test_an_answer_of_another_provider_is_refused(provider: OpenIDProvider) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST)
    client = Client()
    back = provider.agree(client.post("/sign-in/provider/").content.decode(), "s-1").removeprefix("http://testserver")
    assert client.get(f"{back}&iss=https%3A%2F%2Fid.example.org").status_code == 502
    assert not is_signed_in(client)


def test_whoever_turns_back_at_the_provider_is_told_so(provider: OpenIDProvider) -> None:
    client = Client()
    back = provider.refuse(client.post("/sign-in/provider/").content.decode())
    answer = client.get(back.removeprefix("http://testserver"))
    assert page_of(answer).one("h1").text in {"You did not sign in", "Signing in did not work"}
    assert not is_signed_in(client)


def test_a_provider_that_calls_itself_otherwise_is_refused(provider: OpenIDProvider, tmp_path: Path) -> None:
    wrong = provider.settings(tmp_path).model_copy(update={"issuer": provider.issuer + "/"})
    with sign_in_settings(provider=wrong):
        answer = Client().post("/sign-in/provider/")
    assert answer.status_code == 502
    assert "calls itself" in page_of(answer).text


def test_a_provider_that_does_not_answer_is_told(provider: OpenIDProvider, tmp_path: Path) -> None:
    silent = provider.settings(tmp_path).model_copy(update={"issuer": "http://localhost:9"})
    with sign_in_settings(provider=silent):
        answer = Client().post("/sign-in/provider/")
    assert answer.status_code == 502
    assert "does not answer" in page_of(answer).text


def test_two_custodians_make_one_account(provider: OpenIDProvider, archive: Archive) -> None:
    person = ProviderSubject.objects.create(issuer=provider.issuer, subject="s-9", last_at="2026-11-26T00:00:00Z")
    by = make_user("m.jones", role="custodian")
    first = make_from_provider(person, "technician", by=by)
    assert make_from_provider(person, "", by=by) == first
    assert User.objects.filter(oidc_subject="s-9").count() == 1
    connections.close_all()


def test_who_came_by_the_provider_needs_no_second_factor_here_unless_the_settings_say_so(
    provider: OpenIDProvider, tmp_path: Path
) -> None:
    provider.know("s-1")
    known(provider, "s-1", Deed.LIST, Deed.LISTEN)
    client, _answer = through(provider, "s-1")
    assert client.get("/recordings/").status_code == 200
    with sign_in_settings(provider=provider.settings(tmp_path, second_factor=False)):
        client, _answer = through(provider, "s-1")
        assert client.get("/recordings/").headers["Location"] == "/my/"
