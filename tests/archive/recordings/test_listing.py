"""A page of the list knows whether there are newer and older ones, and from where on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from archive.recordings import listing
from archive.recordings.listing import Place, page
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive


@pytest.fixture
def rows(arrive: Arrive) -> list[str]:
    """Identifiers of five recordings, newest first; two of them of one moment."""
    row = Recording.objects.get(pk=arrive(seconds=1).id)
    row.delete()
    base = row.listed_at
    names = []
    for number, minutes in enumerate((0, 1, 1, 2, 3)):
        row.pk = f"{number:032x}"
        row.listed_at = base - timedelta(minutes=minutes)
        row.save(force_insert=True)
        names.append((row.listed_at, row.pk))
    return [name for _, name in sorted(names, reverse=True)]


def shown(before: str = "", after: str = "", size: int = 2) -> tuple[list[str], Place | None, Place | None]:
    found = page(Recording.objects.all(), before, after, size)
    return [row.pk for row in found.rows], found.newer, found.older


def test_the_pages_forwards_hold_each_recording_once(rows: list[str]) -> None:
    first, newer, older = shown()
    assert (first, newer) == (rows[:2], None)
    assert older is not None
    assert older.id == rows[1]
    second, newer, older = shown(before=str(older))
    assert second == rows[2:4]
    assert newer is not None
    assert newer.id == rows[2]
    assert older is not None
    last, newer, older = shown(before=str(older))
    assert (last, older) == (rows[4:], None)
    assert newer is not None


def test_the_pages_backwards_are_the_same_ones(rows: list[str]) -> None:
    _, _, older = shown()
    second = shown(before=str(older))
    first, newer, older_again = shown(after=str(second[1]))
    assert (first, newer, older_again) == (rows[:2], None, older)
    _, newer, _ = shown(before=str(second[2]))
    assert shown(after=str(newer)) == second


@pytest.mark.parametrize("size", [4, 5, 6])
def test_a_page_that_just_holds_all_has_none_after_it(rows: list[str], size: int) -> None:
    names, newer, older = shown(size=size)
    assert names == rows[:size]
    assert newer is None
    assert (older is None) == (size >= len(rows))


def test_a_place_that_no_address_names_is_the_beginning(rows: list[str]) -> None:
    assert shown(before="yesterday") == shown(before="_") == shown()


def test_nothing_has_no_pages_around_it() -> None:
    assert (listing.Listing([], None, None, 0).count_words, Place.parse("")) == ("0", None)
