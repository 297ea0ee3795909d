"""Deny by default: without a sign-in there are no pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from archive.access.routes import ROUTES, WITHOUT_SIGN_IN
from tests.archive.access.table import SOMETHING, addresses, place
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.pages import check
from tests.support.archives import Archive

PLACES = [
    place(address, SOMETHING)
    for address, name in addresses()
    if ROUTES[name].needs not in WITHOUT_SIGN_IN and address != "/sign-out/"
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_every_place_sends_a_stranger_to_the_sign_in(client: Any, place: str, method: str) -> None:
    answer = getattr(client, method)(place)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/sign-in/?next={place}")


def test_signing_in_and_out(client: Any) -> None:
    make_user("m.jones", role="custodian")
    page = check(client.get("/sign-in/?next=/recordings/").content.decode())
    assert "Sign in to see that page." in page.text
    answer = client.post("/sign-in/", {"username": "m.jones", "password": PASSWORD, "next": "/recordings/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/recordings/")
    assert "Signed in as m.jones" in check(client.get("/recordings/").content.decode()).text
    assert client.get("/sign-in/").headers["Location"] == "/"
    assert client.get("/sign-out/").headers["Location"] == "/", "only a form signs out, never a link"
    answer = client.post("/rooms/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert check(answer.content.decode()).one("h1").text == "Please use the button"
    assert client.get("/recordings/").status_code == 200
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/recordings/").status_code == 302


def test_a_wrong_password_is_said_in_words_and_the_name_stays(client: Any) -> None:
    make_user("m.jones")
    answer = client.post("/sign-in/", {"username": "m.jones", "password": "wrong"})
    page = check(answer.content.decode())
    assert "The name or the password is wrong." in page.text
    assert [field.get("value") for field in page.all("input") if field.get("name") == "username"] == ["m.jones"]


@pytest.mark.parametrize("name", ["", 'x" autofocus onfocus="alert(1)', "<script>alert(1)</script>"])
def test_what_was_typed_cannot_become_markup(client: Any, name: str) -> None:
    check(client.post("/sign-in/", {"username": name, "password": "wrong"}).content.decode())


def test_the_sign_in_leads_nowhere_else(client: Any) -> None:
    make_user("m.jones")
    form = {"username": "m.jones", "password": PASSWORD, "next": "https://example.org/"}
    assert client.post("/sign-in/", form).headers["Location"] == "/"


def form_with(headers: dict[str, str], *, cookie: bool = True) -> Any:
    """What the archive answers to the form of its own sign-in page, over TLS, sent with a browser's headers."""
    make_user("m.jones")
    browser = Client(enforce_csrf_checks=True)
    page = check(browser.get("/sign-in/", secure=True).content.decode())
    token = next(one.get("value") for one in page.all("input") if one.get("name") == "csrfmiddlewaretoken")
    if not cookie:
        browser.cookies.clear()
    form = {"username": "m.jones", "password": PASSWORD, "csrfmiddlewaretoken": token}
    return browser.post("/sign-in/", form, secure=True, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://testserver", "Referer": "https://testserver/sign-in/", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://testserver"},
        {"Referer": "https://testserver/sign-in/"},
        # under Referrer-Policy: no-referrer, as Chromium, Firefox and Safari send it
        {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_browser_signs_in_whatever_it_hides_of_where_the_form_came_from(
    archive: Archive, headers: dict[str, str]
) -> None:
    answer = form_with(headers)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": "null"}, "Referrer-Policy: no-referrer"),
        ({}, "Referrer-Policy: no-referrer"),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, "Referrer-Policy: no-referrer"),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, "Referrer-Policy: no-referrer"),
        ({"Origin": "https://evil.example"}, "https://evil.example"),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, "https://evil.example"),
        ({"Referer": "https://evil.example/"}, "[site] hosts"),
    ],
)
def test_forms_from_elsewhere_are_refused_and_the_page_says_exactly_why(
    archive: Archive, headers: dict[str, str], words: str
) -> None:
    answer = form_with(headers)
    assert answer.status_code == 403
    text = check(answer.content.decode()).text
    assert "Nothing was done." in text
    assert words in text


def test_a_browser_without_cookies_and_a_form_that_is_too_old_are_told_apart(archive: Archive) -> None:
    own = {"Origin": "https://testserver"}
    assert "Allow cookies" in check(form_with(own, cookie=False).content.decode()).text
    browser = Client(enforce_csrf_checks=True)
    browser.get("/sign-in/", secure=True)
    old = browser.post("/sign-in/", {"csrfmiddlewaretoken": "x" * 64}, secure=True, headers=own)
    assert old.status_code == 403
    assert "open for too long" in check(old.content.decode()).text


def test_every_answer_forbids_foreign_and_inline_content(client: Any) -> None:
    policy = client.get("/sign-in/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "media-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_what_browsers_and_crawlers_ask_for_by_themselves_is_answered(client: Any) -> None:
    assert client.get("/favicon.ico").headers["Content-Type"] == "image/svg+xml"
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
