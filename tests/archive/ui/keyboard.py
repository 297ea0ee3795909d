"""What the tests share that go through the pages with the keyboard alone."""

from __future__ import annotations

from django.db import connections
from selenium.webdriver.common.keys import Keys as Key

from tests.archive.ui.test_browser import Visit


def signed_in(visit: Visit, name: str) -> Visit:
    """Sign whoever is there out, and `name` in."""
    visit.go("/sign-in/")
    visit.browser.delete_all_cookies()
    connections.close_all()
    visit.sign_in("/", name)
    visit.complaints()
    return visit


def heading(visit: Visit) -> str:
    return str(visit.run("return document.querySelector('h1').innerText"))


def status(visit: Visit) -> str:
    return str(visit.run("return document.querySelector('[role=status].note')?.innerText || ''"))


def page(visit: Visit) -> str:
    """What the page says."""
    return str(visit.run("return document.querySelector('main').innerText"))


def fold_out(visit: Visit, name: str) -> None:
    """Open the folded part of the menu, and follow an entry of it."""
    visit.tab_to("More")
    visit.press(Key.ENTER)
    visit.follow(name)


def find(visit: Visit, recording: str) -> None:
    """Open a recording's page, from whatever page is shown."""
    visit.follow("Recordings")
    visit.type(id=recording[:12])
    visit.follow("Show")
    visit.follow(visit.run("return document.querySelector('tbody a').innerText"))
    assert visit.run("return location.pathname") == f"/recordings/{recording}/"


_LABEL = "return document.activeElement.labels[0].innerText.trim()"


def choose(visit: Visit, name: str, label: str) -> None:
    """Tab to a group of radio buttons, and go on with the arrows to the one that is called so."""
    visit.tab_to(name)
    visit.press(Key.SPACE)
    for _ in range(20):
        if visit.run(_LABEL) == label:
            assert visit.run("return document.activeElement.checked")
            return
        visit.press(Key.ARROW_DOWN)
    raise AssertionError(f"the arrows do not reach {label!r}")


def tick(visit: Visit, name: str, label: str) -> None:
    """Tab to the box of this name that is called so, and tick it."""
    for _ in range(20):
        visit.tab_to(name)
        if visit.run(_LABEL) == label:
            visit.press(Key.SPACE)
            assert visit.run("return document.activeElement.checked")
            return
    raise AssertionError(f"the keyboard does not reach {label!r}")
