"""docs/picture.svg can be read anywhere: text stays inside its box, on a ground of its own."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
EM = {"h": (15, 0.62), "s": (13, 0.56), "": (15, 0.58)}
"""Size in pixels of a class of text, and the width of an average letter in it, as wide fonts have it."""


def box(rect: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y = float(rect.get("x", "0")), float(rect.get("y", "0"))
    return x, y, x + float(rect.get("width", "0")), y + float(rect.get("height", "0"))


def overflowing(picture: ElementTree.Element) -> list[str]:
    """Texts that run out of the smallest box that they begin in."""
    boxes = sorted((box(rect) for rect in picture.iter(f"{SVG}rect")), key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))
    found = []
    for text in picture.iter(f"{SVG}text"):
        size, letter = EM[text.get("class", "")]
        words = text.text or ""
        width = size * letter * len(words)
        left, base = float(text.get("x", "0")), float(text.get("y", "0"))
        if text.get("text-anchor") == "middle":
            left -= width / 2
        _, top, right, bottom = next(b for b in boxes if b[0] <= left <= b[2] and b[1] <= base <= b[3])
        if left + width > right - 4 or base + 4 > bottom or base - size < top:
            found.append(words)
    return found


def test_no_text_runs_out_of_its_box() -> None:
    assert overflowing(ElementTree.parse(DOCS / "picture.svg").getroot()) == []


def test_the_check_above_notices_long_text() -> None:
    picture = ElementTree.parse(DOCS / "picture.svg").getroot()
    next(
        text for text in picture.iter(f"{SVG}text") if text.text == "spool"
    ).text = "a word of thirty-five letters or so"
    assert overflowing(picture)


@pytest.mark.parametrize("name", [path.name for path in DOCS.glob("*.svg")])
def test_a_dark_page_shows_it_as_well(name: str) -> None:
    picture = ElementTree.parse(DOCS / name).getroot()
    ground = picture.find(f"{SVG}rect")
    assert ground is not None, "the first shape is a ground of its own color"
    left, top, width, height = (float(number) for number in picture.get("viewBox", "").split())
    assert box(ground) == (left, top, left + width, top + height)
