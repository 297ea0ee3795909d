"""docs/hardware.md: two tiers, one picture of the wiring, and what was built beside what was only computed."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "hardware.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table below a heading by their first cell."""
    below = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*$", below, re.MULTILINE)
    ]
    return {row[0]: row[1:] for row in cells}


def test_there_are_two_tiers_and_each_says_what_it_is_good_for() -> None:
    tiers = rows("Two tiers")
    assert tiers[""] == ["a first room", "a district"]
    for what in ("board", "microphone", "what switches it", "sense lines", "clock", "network", "good for"):
        assert all(tiers[what]), what
    # whoever builds the first one has to say so in its claim
    assert "MIC_RAIL" not in tiers["sense lines"][0]
    assert "`--no-mic-rail`" in TEXT


def test_one_picture_shows_the_wiring_and_the_list_buys_all_of_it() -> None:
    assert re.findall(r"^!\[[^]]+\]\((\S+)\)", TEXT, re.MULTILINE) == ["wiring.svg"]
    bought = rows("Shopping list for one box")
    assert {"board", "power supply", "card", "microphone", "case"} <= set(bought)
    parts = next(name for name in bought if name.startswith("lamp"))
    assert "wiring.md" in bought[parts][-1]


def test_what_was_built_stands_beside_what_was_only_computed() -> None:
    known = rows("What was built, what was computed")
    assert len(known) >= 6
    assert "not built" in known["lamp driver, interlock, sense lines"][0]
    assert "none was heard" in known["microphones on I2S and USB"][0]
    assert TEXT.split("\n\n")[1].startswith("**Nothing on this page was built by us.**")
