"""Every page in each of its states, as a browser lays it out: narrow and wide, light and dark, on screen, on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from selenium import webdriver
from selenium.webdriver.common.keys import Keys as Key

from archive.access.deeds import ROLES
from archive.control.page import write
from tests.archive.control.scenes import everything
from tests.archive.ui.looks import examine, show_on
from tests.archive.ui.states import States, fill, hear
from tests.archive.ui.test_browser import Visit, chromium, real_user
from tests.support.archives import Archive, archive_in
from tests.support.axe import violations

MOST_BYTES = 100_000
"""Weight of a page with everything that it loads, without audio."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, str, States]]:
    with archive_in(tmp_path_factory.mktemp("layout") / "archive") as made:
        states = fill(made, tmp_path_factory.mktemp("spool"))
        real_user()
        with made.serving() as address:
            yield made, address, states


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1280,900") as started:
        yield started


@pytest.fixture(scope="module")
def visit(served: tuple[Archive, str, States], browser: webdriver.Chrome) -> Visit:
    """The browser, signed in as a custodian."""
    visit = Visit(browser, served[1])
    visit.sign_in("/recordings/")
    return visit


def pages(states: States) -> dict[str, str]:
    connections.close_all()
    states.hear()
    connections.close_all()
    return states.pages


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_fits_each_medium_and_axe_finds_nothing(
    visit: Visit, served: tuple[Archive, str, States], language: str
) -> None:
    found: dict[str, Any] = {}
    media = ("narrow",) if language == "es" else ("narrow", "middle", "wide", "wide-dark", "large", "forced", "print")
    visit.browser.add_cookie({"name": "language", "value": language, "path": "/"})
    for name, address in pages(served[2]).items():
        show_on(visit, "narrow")
        visit.go(address)
        assert visit.run("return document.documentElement.lang") == language
        found |= examine(visit, f"{language}-{name}", media, ("narrow", "wide", "wide-dark"))
    visit.browser.delete_cookie("language")
    show_on(visit, "wide")
    # axe itself tries to set styles, which no page lets a script do
    visit.complaints()
    assert found == {}


def test_what_is_wrong_with_a_page_is_found(visit: Visit) -> None:
    """Each fault that the looks are for, put into a page on purpose."""
    visit.go("/rooms/")
    visit.run(
        "document.querySelector('header.site').style.height = '300px';"
        "document.querySelector('main').innerHTML = `<div id='wide'></div><table><tr><th>Confirmation</th></tr></table>"
        "<p id='cut'>Unbelievable</p><p id='pale'>pale</p><img src='/static/none.png'>`;"
        "const styled = (id, css) => Object.assign(document.querySelector(id).style, css);"
        "styled('#wide', {width: '2000px', height: '1px'});"
        "styled('table', {width: '2ch', tableLayout: 'fixed'});"
        "styled('th', {whiteSpace: 'normal', wordBreak: 'break-all'});"
        "styled('#cut', {width: '4ch', wordBreak: 'break-all'});"
        "styled('#pale', {color: '#aaaaaa', backgroundColor: '#ffffff'});"
    )
    found = examine(visit, "broken", ("wide",), ("wide",))["broken wide"]
    visit.complaints()
    assert found["words broken inside"] == ["Confirmation", "Unbelievable"]
    assert found["heads in two lines"] == ["Confirmation"]
    assert [one for one in found["too wide"] if 'id="wide"' in one]
    assert [one for one in found["contrast"] if 'id="pale"' in one]
    assert found["scrolls sideways"] is True
    assert found["a frame that takes too much"] == 300
    assert {"image-alt", "color-contrast"} <= {rule for rule, _ in found["axe"]}


def test_news_of_several_rooms_are_all_said(visit: Visit, served: tuple[Archive, str, States]) -> None:
    boxes = served[2].boxes
    pages(served[2])
    visit.go("/rooms/")
    visit.run(
        "window.said = []; const news = document.querySelector('[data-news]');"
        "new MutationObserver(() => window.said.push(news.textContent)).observe(news, {childList: true});"
    )
    hear(boxes["Room 1"], state="paused", rate=8000, frames=8000, acked_frame=8000)
    hear(boxes["Room 5"], ready=False, faults=["microphone-missing"])
    connections.close_all()
    visit.until("['Room 1: Paused', 'Room 5: At fault'].every((one) => window.said.join(' ').includes(one))")


def test_no_page_is_heavy(visit: Visit, served: tuple[Archive, str, States]) -> None:
    for name, address in pages(served[2]).items():
        visit.go(address)
        weight = visit.run(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
        )
        assert 0 < weight < MOST_BYTES, (name, weight)


def test_a_print_says_who_printed_it_when_and_where_from(visit: Visit, served: tuple[Archive, str, States]) -> None:
    show_on(visit, "print")
    made = served[2].recordings["eventful"]
    for address in (f"/recordings/{made}/", f"/recordings/{made}/verification/"):
        visit.go(address)
        text = visit.run("return document.body.innerText")
        assert "by m.jones" in text
        assert address in text
        assert (
            visit.run("return [...document.querySelectorAll('button, audio, select')].filter(e => e.offsetParent)")
            == []
        )
    assert visit.run("return document.querySelector('.digest').innerText.length") == 64
    show_on(visit, "wide")


def test_a_control_page_fits_its_medium_and_axe_finds_nothing_on_it(visit: Visit, tmp_path: Path) -> None:
    """It is a file that any web server shows, so it is looked at as a file."""
    write(tmp_path / "control", *everything())
    found: dict[str, Any] = {}
    # what pages before it said
    visit.complaints()
    for media in ("narrow", "middle", "large", "forced"):
        visit.go("/sign-in/")
        show_on(visit, media)
        visit.browser.get((tmp_path / "control" / "index.html").as_uri())
        wrong = {
            "without its style": visit.run(
                "return getComputedStyle(document.querySelector('.sign')).fontWeight !== '700'"
            ),
            "blocked": visit.complaints(),
        }
        found |= examine(visit, "control-page", (media,), (media,))
        # axe itself asks for the style sheet, which the page lets no script do
        visit.complaints()
        found |= {f"{media}: {what}": value for what, value in wrong.items() if value}
    visit.go("/rooms/")
    show_on(visit, "wide")
    assert found == {}


def test_no_menu_takes_more_lines_of_a_narrow_screen_than_it_may(visit: Visit) -> None:
    """Of any one who has one role or several, in both languages; what is folded opens by keyboard without a script."""
    visit.go("/rooms/")
    show_on(visit, "narrow")
    found: dict[str, int] = {}
    for names in (names for size in (1, 2, 3, 4) for names in combinations(ROLES, size)):
        for language in ("en", "es"):
            lines = visit.run(MENU_LINES, menu_of(names, language))
            if lines > MENU_MOST[language]:
                found[f"{'+'.join(names)} {language}"] = lines
    show_on(visit, "wide")
    assert found == {}


def test_a_short_menu_is_all_in_sight_where_there_is_room_and_opens_by_keyboard_where_there_is_none(
    visit: Visit,
) -> None:
    for media, shown in (("wide", 6), ("narrow", 3)):
        visit.go("/rooms/")
        show_on(visit, media)
        visit.run(MENU_LINES, menu_of(["technician"], "en"))
        assert visit.run(MENU_SHOWN) == shown, media
    visit.tab_to("More")
    visit.press(Key.ENTER)
    assert visit.run(MENU_SHOWN) == 7, "the way to close it again is one of them"
    visit.tab_to("Boxes")
    assert violations(visit.browser) == []
    show_on(visit, "wide")


def menu_of(roles: Iterable[str], language: str) -> str:
    """The menu, as somebody sees it who has all of these roles."""
    may = dict.fromkeys(frozenset().union(*(ROLES[role] for role in roles)), True)
    with translation.override(language):
        said = render_to_string("ui/menu.html", {"may": may, "request": RequestFactory().get("/nowhere/")})
    return str(said)


MENU_MOST = {"en": 2, "es": 3}
"""Lines of the menu at 320 px, by language."""
MENU_LINES = """
document.querySelector('header.site nav').outerHTML = arguments[0];
const tops = [...document.querySelectorAll('header.site nav > ul > li')].map((e) => e.offsetTop);
return 1 + tops.filter((top, place) => place && top - tops[place - 1] > 12).length;
"""
MENU_SHOWN = """
return [...document.querySelectorAll('header.site nav :is(a, summary)')].filter((e) => e.checkVisibility()).length;
"""
