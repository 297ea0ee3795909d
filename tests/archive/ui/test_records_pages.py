"""The pages of the records in a browser: each in its states, by axe and as it is laid out; and tasks by keyboard alone.

Each page is loaded once, and looked at narrow, wide and dark. With PLAINSIGHT_SHOTS=FOLDER each is kept as a picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.keys import Keys as Key

from archive.accounts.models import User
from archive.records.meetings.models import Meeting, Notice, OpeningEvent
from archive.records.people.models import Student
from tests.archive.page_fixtures import seal_one
from tests.archive.records.factories import make_meeting, make_student
from tests.archive.ui.records_states import EMPTY, PARENTS, WRONG, fill_records
from tests.archive.ui.test_browser import CONTRAST, WIDE, Visit, chromium, real_user
from tests.archive.ui.test_layout import BROKEN_HEADS, BROKEN_WORDS, MEDIA, shoot
from tests.support.archives import Archive, archive_in
from tests.support.axe import violations

LOOKS = ("narrow", "wide", "dark")


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


def look_like(browser: webdriver.Chrome, media: str) -> int:
    """Show the page that is there as `media` does; return how wide that is, in pixels."""
    size, kind, scheme = MEDIA[media]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # colors that still fade from one look to the next would be measured on their way
    features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})
    return int(size["width"])


def examine(visit: Visit, name: str) -> dict[str, Any]:
    """Return what is wrong with the page that is shown, in each of its looks."""
    found: dict[str, Any] = {}
    for media in LOOKS:
        width = look_like(visit.browser, media)
        shoot(visit, f"{name}-{media}")
        wrong = {
            "status": visit.run("return performance.getEntriesByType('navigation')[0].responseStatus") >= 500,
            "too wide": visit.run(WIDE.replace("321", str(width + 1))),
            "scrolls sideways": visit.run("return document.documentElement.scrollWidth > window.innerWidth"),
            "heads in two lines": visit.run(BROKEN_HEADS),
            "words broken inside": visit.run(BROKEN_WORDS),
            "contrast": visit.run(CONTRAST),
            "axe": violations(visit.browser),
        }
        if any(wrong.values()):
            found[f"{media} {name}"] = {what: value for what, value in wrong.items() if value}
    return found


def test_no_page_of_the_records_has_a_fault_in_any_of_its_states(
    visit: Visit, served: tuple[Archive, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Empty first, then full, then each form as it refuses what was sent, then what parents see in Spanish."""
    assert not Student.objects.exists()
    connections.close_all()
    found: dict[str, Any] = {}
    for name, address in EMPTY.items():
        visit.go(address)
        found |= examine(visit, f"empty-{name}")
    recordings = [seal_one(served[0], tmp_path_factory.mktemp("spool"), seconds=3).id for _ in range(2)]
    pages = fill_records(recordings, User.objects.get(username="m.jones"))
    connections.close_all()
    for name, address in pages.items():
        visit.go(address)
        assert visit.run("return performance.getEntriesByType('navigation')[0].responseStatus") == 200, address
        found |= examine(visit, name)
    for name, address in WRONG.items():
        visit.go(address)
        visit.run("document.querySelector('form[data-form]').requestSubmit()")
        visit.until("document.getElementById('wrong')")
        found |= examine(visit, f"wrong-{name}")
    visit.browser.add_cookie({"name": "language", "value": "es", "path": "/"})
    for name in PARENTS:
        visit.go(pages[name])
        assert visit.run("return document.documentElement.lang") == "es"
        found |= examine(visit, f"spanish-{name}")
    visit.browser.delete_cookie("language")
    look_like(visit.browser, "wide")
    visit.complaints()  # the browser's own, about the forms that were refused
    assert found == {}


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
    says(visit, "Everything noted is in the archive.")
    visit.go(f"/meetings/{opening.pk}/opening/")
    lines = visit.run("return [...document.querySelectorAll('#noted li')].map((one) => one.innerText)")
    assert [line.split(": ")[-1] for line in lines] == ["before the reload"]
    assert texts(opening) == ["before the reload"]


def test_a_note_that_the_archive_refuses_does_not_hold_up_the_others(visit: Visit, opening: Meeting) -> None:
    """A tablet whose clock was set back a week while it wrote one of them."""
    stale = {"id": "1" * 8 + "-1111-4111-8111-" + "1" * 12, "kind": "note", "label": "Note", "text": "a week ago"}
    stale["at"] = f"{timezone.now() - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    visit.run(
        "localStorage.setItem(document.getElementById('sending').dataset.store, arguments[0])", json.dumps([stale])
    )
    visit.go(f"/meetings/{opening.pk}/opening/")
    note(visit, "today")
    visit.until("document.querySelector('#noted').innerText.includes('today')")
    says(visit, "The archive does not take a note")
    assert texts(opening) == ["today"]
