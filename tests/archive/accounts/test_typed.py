"""What somebody typed outlives their session, is shown to nobody else, and is never sent by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from archive.access.deeds import ROLES, Deed
from archive.accounts.encrypted_text import decrypt, encrypt
from archive.accounts.models import User
from archive.accounts.sessions import begin_kiosk
from archive.accounts.typed import MOST, Typed
from archive.custody.models import Entry
from tests.archive.accounts.sign_in import code_of, set_up_app, sign_in, sign_in_settings
from tests.archive.accounts.test_provider import known
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.pages import Node, check
from tests.support.archives import Archive
from tests.support.openid_provider import openid_provider

FORM = {"username": "new.person", "display_name": "Ödön 'New' <Person>", "role": "technician"}


@pytest.fixture
def ann(archive: Archive) -> Client:
    """A custodian's browser, whose session has just ended."""
    make_user("ann", role="custodian")
    return ended(sign_in("ann"))


def ended(client: Client) -> Client:
    session = client.session
    session["seen_at"] = 0.0
    session.save()
    return client


def value_of(page: Node, name: str, tag: str = "input") -> str:
    (field,) = [one for one in page.all(tag) if one.get("name") == name]
    return field.text if tag == "textarea" else field.get("value")


def carried(answer: Any) -> dict[str, str]:
    """What the sign-in page carries along in the form for passwords."""
    page = check(answer.content.decode())
    (form,) = [form for form in page.all("form") if form.get("action") == "/sign-in/"]
    return {one.get("name"): one.get("value") for one in form.all("input") if one.get("type") == "hidden"}


def go_on(client: Client, answer: Any, name: str = "ann", password: str = PASSWORD) -> Any:
    """Sign in on the page that was shown instead."""
    fields = {key: value for key, value in carried(answer).items() if key != "csrfmiddlewaretoken"}
    return client.post("/sign-in/", {"username": name, "password": password, **fields})


def test_a_form_that_is_sent_without_a_session_is_shown_again_filled_in(ann: Client) -> None:
    answer = ann.post("/accounts/new/", FORM)
    assert answer.status_code == 403
    assert "nothing was sent. What you typed is kept" in check(answer.content.decode()).text
    assert not User.objects.filter(username="new.person").exists()
    answer = go_on(ann, answer)
    assert answer.headers["Location"] == "/accounts/new/"
    page = check(ann.get("/accounts/new/").content.decode())
    assert "What you typed is below, and was not sent yet." in page.text
    assert value_of(page, "username") == FORM["username"]
    assert value_of(page, "display_name") == FORM["display_name"]
    chosen = [one.get("value") for one in page.one("select").all("option") if "selected" in one.attributes]
    assert chosen == ["technician"]
    assert not User.objects.filter(username="new.person").exists(), "nothing is sent by itself"
    assert value_of(check(ann.get("/accounts/new/").content.decode()), "username") == "", "and it is shown once"


def test_it_survives_a_wrong_password(ann: Client) -> None:
    answer = go_on(ann, ann.post("/accounts/new/", FORM), password="wrong")
    assert answer.status_code == 200
    assert go_on(ann, answer).headers["Location"] == "/accounts/new/"
    assert value_of(check(ann.get("/accounts/new/").content.decode()), "username") == FORM["username"]


def test_it_survives_the_second_step(archive: Archive) -> None:
    with sign_in_settings(second_factor="required"):
        make_user("ann", role="custodian")
        client = sign_in("ann")
        secret, _codes = set_up_app(client)
        answer = go_on(client, ended(client).post("/accounts/new/", FORM))
        assert answer.headers["Location"] == "/sign-in/second-factor/"
        answer = client.post("/sign-in/second-factor/", {"code": code_of(secret)})
        assert answer.headers["Location"] == "/accounts/new/"
        assert value_of(check(client.get("/accounts/new/").content.decode()), "username") == FORM["username"]


def test_it_survives_the_way_through_the_provider(archive: Archive, tmp_path: Path) -> None:
    with openid_provider() as provider, sign_in_settings(provider=provider.settings(tmp_path)):
        provider.know("s-1")
        user = known(provider, "s-1", Deed.ACCOUNTS)
        user.username = "ann"
        user.save()
        client = ended(sign_in("ann"))
        fields = carried(client.post("/accounts/new/", FORM))
        page = client.post("/sign-in/provider/", {"next": fields["next"], "typed": fields["typed"]}).content.decode()
        answer = client.get(provider.agree(page, "s-1").removeprefix("http://testserver"))
        assert answer.headers["Location"] == "/accounts/new/"
        assert value_of(check(client.get("/accounts/new/").content.decode()), "username") == FORM["username"]


def test_a_page_that_knows_nothing_of_it_is_replaced_by_one_that_sends_it_on(ann: Client, archive: Archive) -> None:
    bob = make_user("bob")
    place = f"/accounts/{bob.pk}/role/"
    answer = go_on(ann, ann.post(place, {"role": "technician", "note": "two\nlines"}))
    assert answer.headers["Location"] == place
    page = check(ann.get(place).content.decode())
    (form,) = [form for form in page.all("form") if form.get("action") == place]
    assert value_of(form, "role") == "technician"
    assert value_of(form, "note", "textarea") == "two lines"
    assert not bob.grants.exists()
    assert ann.post(place, {"role": "technician"}).status_code == 302
    assert bob.grants.count() == len(ROLES["technician"])


def test_what_one_typed_is_shown_to_nobody_else(ann: Client) -> None:
    make_user("bob", role="custodian")
    answer = go_on(ann, ann.post("/accounts/new/", FORM), name="bob")
    assert answer.headers["Location"] == "/accounts/new/"
    assert value_of(check(ann.get("/accounts/new/").content.decode()), "username") == ""
    ann.post("/sign-out/")
    sign_in("ann", ann)
    assert value_of(check(ann.get("/accounts/new/").content.decode()), "username") == ""


def test_the_sign_in_page_itself_does_not_show_it(ann: Client) -> None:
    assert "new.person" not in ann.post("/accounts/new/", FORM).content.decode()


def test_passwords_codes_and_files_are_not_kept(ann: Client) -> None:
    secrets = {
        "old_password": PASSWORD,
        "new_password1": "x",
        "client_secret": "y",
        "code": "123456",
        "credential": "{}",
    }
    assert ann.post("/my/password/", secrets).status_code == 302, "nothing that is kept was typed"
    sent = {**FORM, **secrets, "file": SimpleUploadedFile("a.csv", b"content of a file")}
    text = decrypt(carried(ann.post("/accounts/new/", sent))["typed"])
    assert text is not None
    assert {name for name, _value in Typed.model_validate_json(text).fields} == set(FORM)


@pytest.mark.parametrize("form", [{}, {"role": ""}, {"once": "0" * 32}, {"username": "x" * (MOST + 1)}])
def test_where_nothing_can_be_kept_the_sign_in_is_as_always(ann: Client, form: dict[str, str]) -> None:
    answer = ann.post("/accounts/new/", form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/?next=/accounts/new/")


def test_a_stranger_s_browser_keeps_nothing(archive: Archive) -> None:
    assert Client().post("/accounts/new/", FORM).status_code == 302


def test_a_form_with_the_token_of_an_older_session_is_shown_again(archive: Archive) -> None:
    """Somebody signed out and in again in another window, and then sends the form of the first one."""
    make_user("ann", role="custodian")
    client = Client(enforce_csrf_checks=True)
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/sign-in/").content.decode())[0]
    client.post("/sign-in/", {"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": token})
    sent = {**FORM, "csrfmiddlewaretoken": "x" * 64}
    answer = client.post("/accounts/new/", sent, headers={"origin": "http://testserver"})
    page = check(answer.content.decode())
    assert value_of(page, "username") == FORM["username"]
    assert not User.objects.filter(username="new.person").exists()
    answer = client.post("/accounts/new/", sent, headers={"origin": "https://example.org"})
    assert answer.status_code == 403
    assert "new.person" not in answer.content.decode(), "what another site sends is shown to nobody"
    assert "new.person" not in client.post("/accounts/new/", sent).content.decode()


@pytest.mark.parametrize(
    "typed", ["", "nonsense", "x" * (5 * MOST), encrypt("{}"), encrypt("[]"), encrypt('{"path": 7}')]
)
def test_what_nobody_sealed_changes_nothing(archive: Archive, typed: str) -> None:
    make_user("ann", role="custodian")
    client = sign_in("ann", typed=typed, next="/accounts/new/")
    assert client.get("/accounts/new/").status_code == 200


def test_it_is_in_no_entry_and_not_readable_in_the_session(ann: Client) -> None:
    go_on(ann, ann.post("/accounts/new/", FORM))
    assert "new.person" not in str(list(Entry.objects.values()))
    assert "new.person" not in str(dict(ann.session))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=200)), max_size=8))
def test_whatever_was_typed_comes_back_as_it_was(fields: list[tuple[str, str]]) -> None:
    fields = [(a.encode(errors="ignore").decode(), b.encode(errors="ignore").decode()) for a, b in fields]
    typed = Typed(path="/x/", by="1", fields=tuple(fields))
    text = decrypt(typed.encrypted())
    assert text is not None
    again = Typed.model_validate_json(text)
    assert again == typed
    assert [(name, value) for name, values in again.data().lists() for value in values] == sorted(
        fields, key=lambda one: [name for name, _ in fields].index(one[0])
    )


def full_disk(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """What SQLite does where the disk has no room."""
    if sql.startswith(("INSERT", "UPDATE", "DELETE")):
        raise OperationalError("database or disk is full")
    return execute(sql, params, many, context)


def away(*_: Any) -> Any:
    raise OperationalError("the connection was lost")


def test_what_was_typed_is_shown_where_the_disk_is_full_and_sent_again(archive: Archive) -> None:
    make_user("ann", role="custodian")
    client = sign_in("ann")
    with connection.execute_wrapper(full_disk):
        answer = client.post("/accounts/new/", {**FORM, "once": "a" * 32})
    assert answer.status_code == 503
    page = check(answer.content.decode())
    assert "disk is not answering" in page.one("h1").text
    (form,) = [form for form in page.all("form") if form.get("action") == "/accounts/new/"]
    kept = {one.get("name"): one.get("value") for one in form.all("input")}
    assert {**FORM, "once": "a" * 32}.items() <= kept.items()
    assert not User.objects.filter(username="new.person").exists()
    assert client.post("/accounts/new/", kept).status_code == 200
    assert User.objects.filter(username="new.person").exists()


@pytest.mark.parametrize(("origin", "shown"), [("http://testserver", True), ("https://example.org", False)])
def test_it_is_shown_to_its_own_page_alone_where_the_disk_was_full_before_the_view(
    archive: Archive, origin: str, shown: bool
) -> None:
    """The session's last use is noted before anybody looked where the form came from."""
    make_user("ann", role="custodian")
    client = sign_in("ann")
    session = client.session
    session["seen_at"] = time.time() - 120
    session.save()
    client.raise_request_exception = False
    with connection.execute_wrapper(full_disk):
        answer = client.post("/accounts/new/", FORM, headers={"origin": origin})
    assert answer.status_code == 503
    check(answer.content.decode())
    assert ("new.person" in answer.content.decode()) is shown


@pytest.mark.parametrize("kiosk", [True, False])
def test_a_failure_at_the_end_of_a_session_shows_nothing_to_whoever_sits_there_now(ann: Client, kiosk: bool) -> None:
    session = ann.session
    if kiosk:
        begin_kiosk(session)
        session.save()
    ann.raise_request_exception = False
    with connection.execute_wrapper(full_disk):
        answer = ann.post("/accounts/new/", FORM, headers={"origin": "http://testserver"})
    assert answer.status_code == 503
    assert "new.person" not in answer.content.decode()


def test_a_failure_shows_no_secret_and_nothing_on_a_screen_that_nobody_knows(archive: Archive) -> None:
    make_user("ann", role="custodian")
    client = sign_in("ann")
    client.raise_request_exception = False
    with connection.execute_wrapper(full_disk):
        answer = client.post("/sign-in/", {"username": "ann", "password": PASSWORD})
        assert "typed_" not in answer.content.decode()
        assert PASSWORD not in answer.content.decode()
    with connection.execute_wrapper(away):
        answer = client.post("/accounts/new/", FORM, headers={"origin": "http://testserver"})
    assert answer.status_code == 503
    assert "new.person" not in answer.content.decode(), "it may be a shared screen"
