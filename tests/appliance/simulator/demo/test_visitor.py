"""What a visitor reads of a page, and what its forms send."""

from __future__ import annotations

import pytest
import requests

from appliance.simulator.demo.services import DemoError
from appliance.simulator.demo.visitor import Page

HTML = """
<form action="/sign-out/">
<input type="hidden" name="csrfmiddlewaretoken" value="t"><button>Sign out</button></form>
<h1>Heading &amp; m<b>ore</b></h1><dt>Code</dt><dd>1234</dd><a href="/students/1/">Ana <b>Torres</b></a>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="t">
<input type="hidden" name="once" value="o">
<input type="hidden" name="kind" value="note"><input name="who" value="Ana">
<select name="room"><option value="">another</option>
<option value="12" selected>Room 12</option><option value="13">Room 13
</option></select>
<input type="radio" name="answer" value="yes"><input type="radio" name="answer" value="no" checked>
<input type="checkbox" name="asked"><textarea name="text">
two
lines</textarea><button type="submit" name="kiosk" value="yes">Kiosk</button></form>
<input readonly value="http://127.0.0.1/link/">
<form data-pieces="/pieces.json" data-piece="4"></form>
<audio src="/audio.wav?view=1"></audio>
"""


@pytest.fixture
def page() -> Page:
    answer = requests.Response()
    answer.url, answer.status_code, answer._content = "http://127.0.0.1/here/", 200, HTML.encode()
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    return Page.read(answer)


def test_a_form_tells_what_its_page_tells_its_script(page: Page) -> None:
    assert [one.told for one in page.forms if one.told] == [{"pieces": "/pieces.json", "piece": "4"}]


def test_a_form_sends_what_a_browser_would_and_what_was_typed(page: Page) -> None:
    form = next(one for one in page.forms if one.takes({"who": "Rosa"}))
    assert form.filled({"who": "Rosa", "room": "Room 13"}) == {
        "csrfmiddlewaretoken": "t",
        "once": "o",
        "kind": "note",
        "who": "Rosa",
        "room": "13",
        "answer": "no",
        "text": "two\nlines",
    }
    assert form.filled({})["room"] == "12"


def test_a_hidden_field_tells_forms_apart_and_an_empty_one_is_never_the_sign_out(page: Page) -> None:
    sign_out, note, _ = page.forms
    assert note.takes({"kind": "note", "text": "x"})
    assert not note.takes({"kind": "opened"})
    assert (sign_out.takes({}), note.takes({})) == (False, True)
    assert not sign_out.takes({"who": "x"})


def test_links_words_and_player_are_found_and_what_is_missing_is_named(page: Page) -> None:
    assert page.link(r"/students/\d/") == "/students/1/"
    assert page.audio == "/audio.wav?view=1"
    assert page.expect("Heading & more", "Code 1234", "Ana Torres", "http://127.0.0.1/link/") is page
    with pytest.raises(DemoError, match="does not say “Sold out”"):
        page.expect("Sold out")
    with pytest.raises(DemoError, match="no link to /tray/"):
        page.link("/tray/")
