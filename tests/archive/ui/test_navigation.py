"""The menu offers what a person may do, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from archive.access.deeds import ROLES, Deed
from archive.access.routes import ROUTES, Open
from archive.ui.navigation import PLACES
from tests.archive.page_fixtures import signed_in
from tests.archive.pages import check
from tests.support.archives import Archive


def menu(client: Any) -> list[str]:
    page = check(client.get("/", follow=True).content.decode())
    return [link.text for nav in page.all("nav") if nav.get("aria-label") == "Main" for link in nav.all("a")]


def test_every_place_of_the_menu_needs_what_its_address_needs() -> None:
    for place in PLACES:
        needs = ROUTES[place.address].needs
        assert place.needs == (frozenset() if needs is Open.SIGNED_IN else {needs}), place.code


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_shows_what_may_be_opened_and_every_entry_opens(archive: Archive, role: str) -> None:
    client = signed_in(archive, "p.smith", role=role)
    labels = {str(place.label) for place in PLACES if not place.needs or place.needs & ROLES[role]}
    assert set(menu(client)) == labels
    page = check(client.get("/", follow=True).content.decode())
    for link in page.all("nav")[0].all("a"):
        assert client.get(link.get("href")).status_code == 200


def test_who_may_do_nothing_gets_no_menu(archive: Archive) -> None:
    assert menu(signed_in(archive, "p.smith")) == []


def test_the_menu_marks_where_the_reader_is(archive: Archive) -> None:
    client = signed_in(archive, "p.smith", Deed.BOARD)
    page = check(client.get("/rooms/").content.decode())
    assert [(link.text, link.get("aria-current")) for link in page.all("nav")[0].all("a")] == [
        ("Rooms", "page"),
        ("Readiness", ""),
    ]


def test_a_long_menu_folds_what_is_needed_less_often_and_says_where_the_reader_is(archive: Archive) -> None:
    client = signed_in(archive, "m.jones", role="custodian")
    page = check(client.get("/letters/").content.decode())
    (folded,) = page.all("nav")[0].all("details")
    assert folded.all("summary")[0].text == "More: Letters"
    assert {link.text for link in folded.all("a")} == {str(place.label) for place in PLACES if not place.first}
    assert folded.get("class") == "more"


def test_a_short_menu_folds_for_narrow_screens_alone_and_one_of_few_places_never(archive: Archive) -> None:
    page = check(signed_in(archive, "it.support", role="technician").get("/boxes/").content.decode())
    (folded,) = page.all("nav")[0].all("details")
    assert folded.get("class").split() == ["more", "short"]
    assert [link.text for link in folded.all("a")] == ["Readiness", "Brought in", "Boxes", "This archive"]
    assert folded.all("summary")[0].text == "More: Boxes"
    few = check(signed_in(archive, "an.auditor", role="auditor").get("/recordings/").content.decode())
    assert few.all("nav")[0].all("details") == []


def test_who_may_do_nothing_that_comes_first_has_a_menu_as_well(archive: Archive) -> None:
    deeds = (Deed.LETTERS, Deed.GRANT, Deed.REDACT, Deed.DISCLOSE, Deed.HOLD, Deed.RETENTION, Deed.DESTROY)
    page = check(signed_in(archive, "p.smith", *deeds).get("/letters/").content.decode())
    assert len(page.all("nav")[0].all("a")) == len(deeds)
