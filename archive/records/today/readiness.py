"""The readiness report: every room, the booked ones first, and whether its box would record now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from archive.ui import words
from archive.ui.signs import SignCode

REPORT_HOUR: Final = 7
"""When the report is sent, by the site's clock: a test every morning, before the first meeting (NCSC, AAERT)."""
READY: Final = frozenset({"ready", "recording", "paused"})


@dataclass(frozen=True)
class RoomState:
    """What is known of a room's box."""

    room: str
    sign: SignCode
    said: str
    """The state in words."""
    remedy: str
    """What to do; empty where nothing is."""


@dataclass(frozen=True)
class Readiness:
    """One line of the report."""

    room: RoomState
    booked: datetime | None
    """Begin of the first meeting of the day that is still to come, or None."""

    @property
    def ready(self) -> bool:
        """Whether a press would record."""
        return self.room.sign in READY

    @property
    def to_do(self) -> str:
        """What to do; empty where the room is ready and nothing is."""
        return self.room.remedy or ("" if self.ready else "Look at the box: is it plugged in, and is a light on?")


def readiness(rooms: Iterable[RoomState], booked: dict[str, datetime]) -> list[Readiness]:
    """Return the lines: booked rooms that are not ready, then booked ones, then what is not ready, then the rest."""
    lines = [Readiness(room, booked.get(room.room)) for room in rooms]
    return sorted(lines, key=_urgency)


def _urgency(line: Readiness) -> tuple[bool, bool, float, str]:
    return line.booked is None, line.ready, line.booked.timestamp() if line.booked else 0.0, line.room.room


def as_text(lines: list[Readiness], day: str) -> tuple[str, str]:
    """Return heading and text of the report as mail. Rooms stand in it, students do not."""
    bad = [one for one in lines if not one.ready]
    heading = f"Rooms, {day}: " + (f"{len(bad)} not ready" if bad else "all ready")
    told = []
    for one in lines:
        booked = f", first meeting {words.time_of_day(one.booked, seconds=False)}" if one.booked else ""
        told.append(f"{'ready' if one.ready else 'NOT READY'}: {one.room.room}{booked}. {one.room.said}")
        if not one.ready:
            told.append(f"    {one.to_do}")
    return heading, "\n".join(told or ["No box is enrolled yet."]) + "\n"
