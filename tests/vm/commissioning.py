"""Somebody commissions the box with the printed card in hand: lights ask, the button answers."""

from __future__ import annotations

import time
from typing import Final

from tests.support.waiting import TimedOutError, until

from . import sound
from .box import AMBER, GREEN, RED, Box
from .guest import GuestError
from .limits import patience
from .row import progress

_AGAIN_S: Final = 40.0
"""Where the lights still ask so long after a press, in seconds of the host, it came too early and is made again."""


def commission(box: Box) -> None:
    """Answer every question by a press; raise GuestError with the journal's end if the box is not commissioned then."""
    try:
        box.press()
        _wait_for(box, {RED})
        # red, green and amber were seen; then the button itself is tried
        for asked, following in (({RED}, {GREEN}), ({GREEN}, {AMBER}), ({AMBER}, {GREEN, AMBER})):
            _answer(box, asked, following)
        _answer(box, {GREEN, AMBER}, {GREEN})
        sound.play(box.guest, sound.QUIET)
        _answer(box, {GREEN}, {RED})
        _wait_for(box, {AMBER})
        sound.play(box.guest)
        _answer(box, {AMBER}, {RED})
        box.wait(
            lambda found: found.get("ready") and "not-commissioned" not in found["faults"], "commissioned", patience(20)
        )
    except GuestError as error:
        journal = box.guest.run("journalctl -u plainsight-recorder -n 25 --no-pager -o cat", status=None)
        raise GuestError(f"{error}; the journal ends with: {journal}") from error


def _answer(box: Box, asked: set[int], following: set[int]) -> None:
    progress(f"commissioning: lights on lines {sorted(asked)} ask")
    box.press()
    _wait_for(box, following, asked)


def _wait_for(box: Box, wanted: set[int], asked: set[int] | None = None) -> None:
    """Wait until these lights are lit and no others; press again where `asked` still ask."""
    pressed = time.monotonic()

    def look() -> bool:
        nonlocal pressed
        lit = box.lit()
        if lit == asked != wanted and time.monotonic() - pressed > _AGAIN_S:
            box.press()
            pressed = time.monotonic()
        return lit == wanted

    try:
        until(look, f"lights on lines {sorted(wanted)}", patience(20), pause=lambda: time.sleep(0.3))
    except TimedOutError as error:
        raise GuestError(f"{error}; lit are {sorted(box.lit())}") from error
