"""The pages of the records in a browser: each in its states, by axe and as it is laid out; and tasks by keyboard alone.

Each page is loaded once, and looked at narrow, at 768 px, wide, and dark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from django.db import connections
from django.urls import resolve
from django.utils import timezone
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.keys import Keys as Key

from archive.access.routes import ROUTES
from archive.accounts.models import User
from archive.records.meetings.models import Meeting, Notice, OpeningEvent
from archive.records.people.models import Student
from tests.archive.page_fixtures import seal_one
from tests.archive.records.factories import make_meeting, make_student
from tests.archive.ui.looks import examine, show_on
from tests.archive.ui.records_states import (
    EMPTY,
    MANY,
    PARENTS,
    STALE,
    WRONG,
    fill_records,
    make_many,
    someone_else_saves,
)
from tests.archive.ui.test_browser import Visit, chromium, real_user
from tests.support.archives import Archive, archive_in
from tests.support.axe import violations

ELSEWHERE = {name for name in ROUTES if not name.startswith("pages:")} | {
    f"pages:{name}"
    for name in (
        *("accounts", "new-account", "account", "invitation", "own-password", "provider-callback"),
        *("boxes", "claim-new", "claim-withdraw", "box-new-board", "box-retire", "checks", "first", "rooms"),
        *("rooms-json", "wall", "verification-json"),
        *("recordings", "audio", "verification", "export", "package", "flac", "receipt", "letter-file"),
        *("evidence-file", "evidence-file-outside", "fixity", "transcript-file"),
        *("destruction-certificate", "disclosure-copy", "disclosure-receipt", "outside-audio"),
        *("outside-download", "listening-audio", "redaction-audio", "redaction-log-pdf", "list-csv", "list-pdf"),
    )
}
"""Pages that tests/archive/accounts/test_browser.py and test_layout.py look at, and what is no page."""
NARROW = ("narrow", "narrow-dark")
"""Each state is looked at, also by axe, in the one or the other."""
OTHERS = ("middle", "wide", "wide-dark")
"""How each state is looked at besides; by axe in the last where the page has something to show for the first time."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, str]]:
    with archive_in(tmp_path_factory.mktemp("records") / "archive") as made:
        real_user()
        with made.serving() as address:
            yield made, address


@pytest.fixture(scope="module")
def visit(served: tuple[Archive, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The browser, signed in as a custodian."""
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1280,900") as browser:
        visit = Visit(browser, served[1])
        visit.sign_in("/students/")
        yield visit


def test_no_page_of_the_records_has_a_fault_in_any_of_its_states(
    visit: Visit, served: tuple[Archive, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Empty, one of each, refused as wrong, refused as stale, and many; then what a parent sees, also in Spanish."""
    assert not Student.objects.exists()
    connections.close_all()
    found: dict[str, Any] = {}
    seen: set[str] = set()
    narrows = cycle(NARROW)

    def look_at(name: str, address: str) -> None:
        visit.go(address)
        look(name)

    def look(name: str) -> None:
        path, status = visit.run(
            "return [location.pathname, performance.getEntriesByType('navigation')[0].responseStatus]"
        )
        assert status < 500, name
        view = resolve(path).view_name
        narrow = next(narrows)
        by_axe = (narrow,) if view in seen else (narrow, "wide-dark")
        found.update(examine(visit, name, (narrow, *OTHERS), by_axe))
        if not name.startswith("empty-"):
            seen.add(view)

    def send(name: str) -> None:
        visit.run("document.querySelector('form[data-form]').requestSubmit()")
        visit.until("document.getElementById('wrong')")
        look(name)

    for name, address in EMPTY.items():
        look_at(f"empty-{name}", address)
    recordings = [seal_one(served[0], tmp_path_factory.mktemp("spool"), seconds=3).id for _ in range(3)]
    pages = fill_records(recordings, User.objects.get(username="m.jones"))
    connections.close_all()
    for name, address in pages.items():
        if name not in PARENTS:
            look_at(name, address)
            assert visit.run("return performance.getEntriesByType('navigation')[0].responseStatus") == 200, address
    for name, address in WRONG.items():
        visit.go(address)
        send(f"wrong-{name}")
    for name, model in STALE.items():
        visit.go(pages[name])
        someone_else_saves(model)
        connections.close_all()
        visit.run("document.querySelectorAll('form[data-form] textarea').forEach((one) => { one.value = 'typed'; })")
        send(f"stale-{name}")
        assert "Somebody else changed this" in visit.run("return document.getElementById('wrong').innerText"), name
    visit.go(pages["request-open"])
    visit.run("document.querySelector('form[data-form]').requestSubmit()")
    visit.until("document.querySelector('h1').innerText === 'One-time link'")
    look("request-opened")
    link, code = (visit.run(f"return document.querySelector('dd.{one}').innerText") for one in ("id", "code"))
    make_many()
    connections.close_all()
    for name, address in MANY.items():
        look_at(f"many-{name}", address)
    visit.browser.delete_all_cookies()
    visit.browser.add_cookie({"name": "language", "value": "es", "path": "/"})
    visit.browser.get(link)
    look("spanish-link")
    send("spanish-wrong-link")
    visit.run("document.getElementById('id_code').value = arguments[0]", code)
    visit.run("document.querySelector('form[data-form]').requestSubmit()")
    visit.until("location.pathname === '/own/'")
    headings: dict[str, set[str]] = {}
    for language in ("es", "en"):
        visit.browser.add_cookie({"name": "language", "value": language, "path": "/"})
        for name in PARENTS:
            look_at(f"{language}-{name}", pages[name])
            assert visit.run("return document.documentElement.lang") == language
            said = visit.run("return [...document.querySelectorAll('h2, h3, th')].map((one) => one.innerText)")
            headings.setdefault(language, set()).update(one for one in said if re.search("[a-z]{4}", one))
    names = {str(student) for student in Student.objects.all()}
    connections.close_all()
    assert headings["es"] & headings["en"] - names == set(), "these are not translated"
    visit.browser.delete_all_cookies()
    show_on(visit, "wide")
    visit.sign_in("/students/")
    visit.complaints()  # the browser's own, about forms that were refused, and about axe's own styles
    assert found == {}
    shown = {name for name, route in ROUTES.items() if "GET" in route.methods and not route.page}
    assert shown - seen - ELSEWHERE == set(), "no state of these pages is looked at"


def test_a_notice_is_logged_with_the_keyboard_alone(visit: Visit) -> None:
    student = make_student("Pat", "Reed", local_id="77001")
    connections.close_all()
    visit.go("/meetings/")
    visit.tab_to("Log a notice")
    visit.press(Key.ENTER)
    visit.until("location.pathname === '/notices/new/'")
    visit.tab_to("student")
    visit.press("77001")
    visit.tab_to("day")
    day = timezone.localdate() + timedelta(days=9)
    visit.press(f"{day:%m%d%Y}")
    visit.tab_to("at")
    visit.press("0130PM")
    visit.press(Key.ENTER)
    visit.until("/^[/]meetings[/][0-9a-f-]{36}[/]$/.test(location.pathname)")
    assert "The notice was logged" in visit.run("return document.querySelector('[role=status]').innerText")
    notice = Notice.objects.get(student=student)
    assert f"{timezone.localtime(notice.meeting_at):%Y-%m-%d %H:%M}" == f"{day} 13:30"
    assert visit.complaints() == []


@pytest.fixture
def opening(visit: Visit) -> Iterator[Meeting]:
    """A meeting whose opening page is shown; the network is back afterwards."""
    meeting = make_meeting(make_student("Sam", "Fox"), timezone.now())
    connections.close_all()
    visit.go(f"/meetings/{meeting.pk}/opening/")
    yield meeting
    network(visit, away=False)
    visit.run("localStorage.clear()")
    visit.complaints()


def network(visit: Visit, *, away: bool) -> None:
    visit.browser.execute_cdp_cmd("Network.enable", {})
    conditions = {"offline": away, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    visit.browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def says(visit: Visit, text: str) -> None:
    visit.until("document.getElementById('sending').textContent.startsWith(arguments[0])", text)


def texts(meeting: Meeting) -> list[str]:
    found = list(OpeningEvent.objects.filter(meeting=meeting).order_by("at").values_list("text", flat=True))
    connections.close_all()
    return found


def note(visit: Visit, text: str) -> None:
    """Type a note with the keyboard; its field has the focus, or is reached with the tabulator."""
    for _ in range(60):
        if visit.run("return document.activeElement.id") == "text":
            break
        visit.press(Key.TAB)
    visit.press(text)
    visit.tab_to("Note it with the time")
    visit.press(Key.ENTER)


def test_notes_are_kept_and_sent_once_when_the_network_was_away(visit: Visit, opening: Meeting) -> None:
    network(visit, away=True)
    note(visit, "goals are read")
    note(visit, "a break")
    says(visit, "No network. 2 notes are kept here")
    shown = "[...document.querySelectorAll('#noted li')].map((one) => one.innerText)"
    assert [text.split(": ")[-1] for text in visit.run(f"return {shown}")] == ["goals are read", "a break"]
    assert texts(opening) == []
    network(visit, away=False)
    says(visit, "Everything noted is in the archive.")
    assert texts(opening) == ["goals are read", "a break"]
    assert visit.run("return localStorage.getItem(document.getElementById('sending').dataset.store)") == "[]"


def test_a_reload_while_the_network_is_away_loses_no_note(visit: Visit, opening: Meeting) -> None:
    network(visit, away=True)
    note(visit, "before the reload")
    says(visit, "No network. 1 note is kept here")
    with pytest.raises(WebDriverException, match="ERR_INTERNET_DISCONNECTED"):
        visit.go(f"/meetings/{opening.pk}/opening/")
    network(visit, away=False)
    visit.go(f"/meetings/{opening.pk}/opening/")
    # the browser may load its page of errors again by itself before this, and then that one sent the note
    visit.until("localStorage.getItem(document.getElementById('sending').dataset.store) === '[]'")
    visit.go(f"/meetings/{opening.pk}/opening/")
    lines = visit.run("return [...document.querySelectorAll('#noted li')].map((one) => one.innerText)")
    assert [line.split(": ")[-1] for line in lines] == ["before the reload"]
    assert texts(opening) == ["before the reload"]


def come_in_as(visit: Visit, name: str) -> None:
    visit.browser.delete_all_cookies()
    visit.sign_in("/meetings/", name)


def test_who_signs_in_again_in_another_tab_has_the_page_send_what_it_kept(visit: Visit, opening: Meeting) -> None:
    """And who comes in as somebody else has not: nothing is entered as noted by a person who did not note it."""
    real_user("o.diaz", role="facilitator")
    here = visit.browser.current_window_handle
    visit.browser.delete_all_cookies()
    note(visit, "goals are read")
    says(visit, "1 note is kept here. Sign in again in another tab, as the same person")
    visit.browser.switch_to.new_window("tab")
    come_in_as(visit, "o.diaz")
    visit.go(f"/meetings/{opening.pk}/opening/")
    visit.until("document.getElementById('others').innerText.includes('1 note that m.jones made waits')")
    assert violations(visit.browser) == []
    assert texts(opening) == []
    come_in_as(visit, "m.jones")
    visit.browser.close()
    visit.browser.switch_to.window(here)
    says(visit, "Everything noted is in the archive.")
    assert texts(opening) == ["goals are read"]
    assert OpeningEvent.objects.get(meeting=opening).by == User.objects.get(username="m.jones")
    connections.close_all()


def notes_of_somebody_who_left(visit: Visit, opening: Meeting) -> User:
    """Leave a note of m.jones in the browser, and come in as p.cole."""
    if not User.objects.filter(username="p.cole").exists():
        real_user("p.cole", role="facilitator")
    other = User.objects.get(username="p.cole")
    connections.close_all()
    network(visit, away=True)
    note(visit, "goals are read")
    says(visit, "No network. 1 note is kept here")
    visit.browser.delete_all_cookies()
    network(visit, away=False)
    come_in_as(visit, "p.cole")
    return other


def test_whoever_signs_in_next_is_told_whose_notes_wait_and_how_they_are_sent(visit: Visit, opening: Meeting) -> None:
    notes_of_somebody_who_left(visit, opening)
    visit.go("/")
    visit.until("!document.getElementById('notes-here').hidden")
    told = visit.run("return document.getElementById('notes-here').innerText")
    assert "1 note of m.jones, not sent yet" in told
    assert "They are sent under no other name" in told
    assert violations(visit.browser) == []
    visit.tab_to("the opening of their meeting")
    visit.press(Key.ENTER)
    visit.until("location.pathname === arguments[0]", f"/meetings/{opening.pk}/opening/")
    visit.until("document.getElementById('others').innerText.includes('1 note that m.jones made waits')")
    assert violations(visit.browser) == []
    assert texts(opening) == []
    come_in_as(visit, "m.jones")
    visit.go("/")
    visit.until("document.getElementById('notes-here').innerText.includes('1 note of yours')")
    visit.go(f"/meetings/{opening.pk}/opening/")
    says(visit, "Everything noted is in the archive.")
    visit.go("/")
    assert visit.run("return document.getElementById('notes-here').hidden")
    assert texts(opening) == ["goals are read"]


def test_notes_of_an_account_that_has_ended_are_handed_in_with_both_names(visit: Visit, opening: Meeting) -> None:
    """Nobody comes to send them any more; they are neither lost nor entered as somebody else's."""
    other = notes_of_somebody_who_left(visit, opening)
    visit.go(f"/meetings/{opening.pk}/opening/")
    visit.tab_to("Hand them in")
    visit.press(Key.ENTER)
    visit.until("document.getElementById('others').innerText.includes('m.jones can sign in')")
    assert texts(opening) == []
    gone = User.objects.get(username="m.jones")
    User.objects.filter(pk=gone.pk).update(active_until=timezone.now())
    connections.close_all()
    try:
        visit.tab_to("Hand them in")
        visit.press(Key.ENTER)
        says(visit, "They were handed in.")
    finally:
        User.objects.filter(pk=gone.pk).update(active_until=None)
    assert visit.run("return document.getElementById('others').hidden")
    found = OpeningEvent.objects.get(meeting=opening)
    assert (found.text, found.by, found.noted_by) == ("goals are read", other, gone)
    connections.close_all()
    visit.go(f"/meetings/{opening.pk}/opening/")
    assert "noted by m.jones, handed in by p.cole" in visit.run("return document.getElementById('noted').innerText")
    come_in_as(visit, "m.jones")


def refused_note(visit: Visit, opening: Meeting, text: str) -> None:
    """Leave a note on the tablet that was written while its clock was set back a week."""
    stale = {"id": "1" * 8 + "-1111-4111-8111-" + "1" * 12, "kind": "note", "label": "Note", "text": text}
    stale["at"] = f"{timezone.now() - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    visit.run(
        "localStorage.setItem(document.getElementById('sending').dataset.store, arguments[0])", json.dumps([stale])
    )
    visit.go(f"/meetings/{opening.pk}/opening/")
    says(visit, "The archive does not take a note")


def test_a_note_that_the_archive_refuses_does_not_hold_up_the_others(visit: Visit, opening: Meeting) -> None:
    refused_note(visit, opening, "a week ago")
    note(visit, "today")
    visit.until("document.querySelector('#noted').innerText.includes('today')")
    says(visit, "The archive does not take a note")
    assert texts(opening) == ["today"]
    assert "look at the tablet's clock" in visit.run("return document.getElementById('refused').innerText")
    assert violations(visit.browser) == []


def test_a_refused_note_is_changed_and_sent_again_with_the_keyboard(visit: Visit, opening: Meeting) -> None:
    refused_note(visit, opening, "a week ago")
    for _ in range(60):
        if visit.run("return document.activeElement.id").startswith("text-"):
            break
        visit.press(Key.TAB)
    visit.press(Key.END, ", mended")
    visit.tab_to("Send it again")
    visit.press(Key.ENTER)
    says(visit, "Everything noted is in the archive.")
    (text,) = texts(opening)
    assert text.startswith("a week ago, mended (by the tablet's clock ")
    assert visit.run("return document.getElementById('refused').hidden")


def test_a_refused_note_is_discarded_only_by_a_second_press(visit: Visit, opening: Meeting) -> None:
    refused_note(visit, opening, "not needed")
    visit.tab_to("Discard it")
    visit.press(Key.ENTER)
    kept = "return localStorage.getItem(document.getElementById('sending').dataset.store)"
    assert "not needed" in visit.run(kept)
    visit.press(Key.ENTER)
    says(visit, "It was discarded.")
    assert visit.run(kept) == "[]"
    assert texts(opening) == []
