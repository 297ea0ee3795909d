"""Every page in each of its states, as a browser lays it out: narrow and wide, light and dark, on screen and on paper.

With PLAINSIGHT_SHOTS=FOLDER each is kept as a picture, for a person to look at.
"""

from __future__ import annotations

import base64
import os
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
from tests.archive.ui.states import States, fill, hear
from tests.archive.ui.test_browser import CONTRAST, WIDE, Visit, chromium, real_user
from tests.support.archives import Archive, archive_in
from tests.support.axe import violations

MEDIA = {
    "narrow": ({"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}, "screen", "light"),
    "spanish": ({"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}, "screen", "light"),
    "large": ({"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": False}, "screen", "dark"),
    "middle": ({"width": 768, "height": 900, "deviceScaleFactor": 1, "mobile": False}, "screen", "light"),
    "wide": ({"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}, "screen", "light"),
    "dark": ({"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}, "screen", "dark"),
    "forced": ({"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}, "screen", "forced"),
    "print": ({"width": 720, "height": 900, "deviceScaleFactor": 1, "mobile": False}, "print", "dark"),
}
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


def look_through(visit: Visit, media: str) -> None:
    size, kind, scheme = MEDIA[media]
    visit.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    visit.browser.delete_cookie("language")
    if media == "spanish":
        visit.browser.add_cookie({"name": "language", "value": "es", "path": "/"})
    forced = "active" if scheme == "forced" else "none"
    features = [
        {"name": "prefers-color-scheme", "value": "dark" if scheme == "dark" else "light"},
        {"name": "forced-colors", "value": forced},
    ]
    visit.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


def shoot(visit: Visit, name: str) -> None:
    if folder := os.environ.get("PLAINSIGHT_SHOTS"):
        shot = visit.browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def pages(states: States) -> dict[str, str]:
    connections.close_all()
    states.hear()
    connections.close_all()
    return states.pages


@pytest.mark.parametrize("media", list(MEDIA))
def test_every_page_fits_its_medium(visit: Visit, served: tuple[Archive, str, States], media: str) -> None:
    found: dict[str, Any] = {}
    look_through(visit, media)
    for name, address in pages(served[2]).items():
        visit.go(address)
        shoot(visit, f"{media}-{name}")
        wrong = {
            "too wide": visit.run(WIDE.replace("321", str(MEDIA[media][0]["width"] + 1))),
            "scrolls sideways": visit.run("return document.documentElement.scrollWidth > window.innerWidth"),
            "heads in two lines": visit.run(BROKEN_HEADS),
            "words broken inside": visit.run(BROKEN_WORDS),
            "contrast": visit.run(CONTRAST),
        }
        if any(wrong.values()):
            found[name] = {what: value for what, value in wrong.items() if value}
    look_through(visit, "wide")
    assert found == {}


def test_axe_finds_nothing_on_any_page(visit: Visit, served: tuple[Archive, str, States]) -> None:
    found: dict[str, Any] = {}
    for media in ("narrow", "spanish", "wide", "dark"):
        look_through(visit, media)
        for name, address in pages(served[2]).items():
            visit.go(address)
            if told := violations(visit.browser):
                found[f"{media} {name}"] = told
    look_through(visit, "wide")
    assert found == {}


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
    look_through(visit, "print")
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
    look_through(visit, "wide")


def test_a_control_page_fits_its_medium_and_axe_finds_nothing_on_it(visit: Visit, tmp_path: Path) -> None:
    """It is a file that any web server shows, so it is looked at as a file."""
    write(tmp_path / "control", *everything())
    found: dict[str, Any] = {}
    # what pages before it said
    visit.complaints()
    for media in ("narrow", "middle", "large", "forced"):
        visit.go("/sign-in/")
        look_through(visit, media)
        visit.browser.get((tmp_path / "control" / "index.html").as_uri())
        shoot(visit, f"{media}-control-page")
        wrong = {
            "too wide": visit.run(WIDE.replace("321", str(MEDIA[media][0]["width"] + 1))),
            "scrolls sideways": visit.run("return document.documentElement.scrollWidth > window.innerWidth"),
            "heads in two lines": visit.run(BROKEN_HEADS),
            "words broken inside": visit.run(BROKEN_WORDS),
            "contrast": visit.run(CONTRAST),
            "without its style": visit.run(
                "return getComputedStyle(document.querySelector('.sign')).fontWeight !== '700'"
            ),
            "blocked": visit.complaints(),
            "axe": violations(visit.browser),
        }
        # axe itself asks for the style sheet, which the page lets no script do
        visit.complaints()
        found |= {f"{media}: {what}": value for what, value in wrong.items() if value}
    visit.go("/rooms/")
    look_through(visit, "wide")
    assert found == {}


def test_no_menu_takes_more_lines_of_a_narrow_screen_than_it_may(visit: Visit) -> None:
    """Of any one who has one role or several, in both languages; what is folded opens by keyboard without a script."""
    visit.go("/rooms/")
    look_through(visit, "narrow")
    found: dict[str, int] = {}
    for names in (names for size in (1, 2, 3, 4) for names in combinations(ROLES, size)):
        for language in ("en", "es"):
            lines = visit.run(MENU_LINES, menu_of(names, language))
            if lines > MENU_MOST[language]:
                found[f"{'+'.join(names)} {language}"] = lines
    look_through(visit, "wide")
    assert found == {}


def test_a_short_menu_is_all_in_sight_where_there_is_room_and_opens_by_keyboard_where_there_is_none(
    visit: Visit,
) -> None:
    for media, shown in (("wide", 6), ("narrow", 3)):
        visit.go("/rooms/")
        look_through(visit, media)
        visit.run(MENU_LINES, menu_of(["technician"], "en"))
        assert visit.run(MENU_SHOWN) == shown, media
    visit.tab_to("More")
    visit.press(Key.ENTER)
    assert visit.run(MENU_SHOWN) == 7, "the way to close it again is one of them"
    visit.tab_to("Boxes")
    assert violations(visit.browser) == []
    look_through(visit, "wide")


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
BROKEN_HEADS = """
return [...document.querySelectorAll('th')].filter((e) => !/\\s/.test(e.innerText.trim()) && e.innerText.trim())
  .filter((e) => { const r = document.createRange(); r.selectNodeContents(e); return new Set([...r.getClientRects()]
  .map((box) => Math.round(box.top))).size > 1; }).map((e) => e.innerText);
"""
BROKEN_WORDS = """
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const parent = node.parentElement;
  if (!parent.offsetParent || parent.closest('.id, .digest, .detail, .hidden, .skip, code, svg, footer')) continue;
  for (const match of node.data.matchAll(/(?<!\\w)[A-Za-z]{2,24}(?!\\w)/g)) {
    const range = document.createRange();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    const tops = new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.top)));
    if (tops.size > 1) found.push(match[0]);
  }
}
return found;
"""
