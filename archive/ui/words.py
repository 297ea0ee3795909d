"""Plain words for codes, states and times: what the pages say instead of what the machines write."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from appliance.contract import amber_codes
from appliance.contract.times import Clock

NOTICE: Final = (
    "This recording is not part of the IEP or of any document of that process. It is kept as an education record of "
    "its own. Do not pass it on without the written consent of everyone recorded, unless the law compels it."
)
"""Policy lines 5 and 9 and the note on dissemination; it stands on every page that hands something out."""

STATES: Final[dict[str, str]] = {
    "arriving": "arriving",
    "receiving": "arriving",
    "closed": "waiting to be sealed",
    "sealed": "sealed",
    "refused": "refused",
}

OUTCOMES: Final[dict[str, str]] = {
    "complete": "closed by its box",
    "interrupted": "interrupted by a crash or a power cut",
    "incomplete": "incomplete: its box never closed it",
}

CAUSES: Final[dict[str, str]] = {
    "overrun": "the box was too busy",
    "stall": "the microphone stopped giving sound",
    "unplugged": "the microphone was unplugged",
    "capture-died": "the process that hears ended unexpectedly",
    "checksum": "the sound was damaged inside the box",
    "unexplained": "cause unknown",
}

REASONS: Final[dict[str, str]] = {
    "button": "someone held the button",
    "cap": "the longest allowed time was reached",
    "quiet": "the room had been quiet for a long time",
    "paused-too-long": "it had been paused for too long",
    "disk-full": "the box's disk was full",
    "fault": "a fault of the box",
    "shutdown": "the box was shut down",
    "interrupted": "a crash or a power cut; written at the next start",
}


def fault(code: str) -> str:
    """Return what an amber code means, as a sentence; an unknown one is spelled out, never hidden."""
    return amber_codes.find(code).cause if amber_codes.known(code) else f"{code.replace('-', ' ').capitalize()}."


def remedy(code: str) -> str:
    """Return what to do about an amber code."""
    return amber_codes.find(code).remedy


def contact(named: str) -> str:
    """Return whom to ask: the contact that the site's configuration names, or a word for it."""
    return named or "your administrator"


def day(moment: datetime) -> str:
    """Return a date: Tue Nov 24 2026."""
    return f"{moment:%a %b} {moment.day} {moment.year}"


def time_of_day(moment: datetime, *, seconds: bool = True) -> str:
    """Return a time by the 12-hour clock, without its zone: 1:05:07 pm."""
    exact = f":{moment:%S}" if seconds else ""
    return f"{moment.hour % 12 or 12}:{moment:%M}{exact} {'am' if moment.hour < 12 else 'pm'}"


def when(moment: datetime) -> str:
    """Return date, time and the zone's abbreviation, which tells the two readings of the double hour apart."""
    return f"{day(moment)}, {time_of_day(moment)} {moment.tzname()}"


def day_and_time(moment: datetime) -> str:
    """Return date and time to the minute."""
    return f"{day(moment)}, {time_of_day(moment, seconds=False)}"


def from_to(first: datetime, last: datetime) -> str:
    """Return when something began and ended: Tue Nov 24 2026, 1:05 to 2:20 pm CST."""
    end = f"{time_of_day(last, seconds=False)} {last.tzname()}"
    if first.date() != last.date():
        return f"{day_and_time(first)} {first.tzname()}, to {day(last)}, {end}"
    begin = time_of_day(first, seconds=False)
    if f"{begin} {first.tzname()}" == end:
        return f"{day(first)}, {end}"
    if first.tzname() != last.tzname():
        begin = f"{begin} {first.tzname()}"
    elif begin[-2:] == end[: -len(f" {last.tzname()}")][-2:]:
        begin = begin[:-3]
    return f"{day(first)}, {begin} to {end}"


def ago(seconds: float) -> str:
    """Return how long ago something was, in its greatest unit."""
    whole = max(int(seconds), 0)
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        if whole >= size:
            number = whole // size
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''} ago"
    return "just now"


def clock_time(seconds: float) -> str:
    """Return an offset as m:ss, or h:mm:ss from an hour on; fractions are cut off."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def spoken(seconds: float) -> str:
    """Return a length of time as people say it."""
    whole = int(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    said = [f"{number} {unit}" for number, unit in parts if number]
    if said:
        return " ".join(said)
    return f"{seconds:.1f} s" if seconds > 0 else "0 s"


def count(number: int, one: str, many: str) -> str:
    """Return a number of things."""
    return f"{number} {one if number == 1 else many}"


def clock(state: Clock) -> str:
    """Return how far a box's clock is to be trusted."""
    if not state.synchronized:
        return "not set by any time source; its times may be wrong"
    off = "" if state.offset_ns is None else f", {abs(state.offset_ns) / 1e6:.1f} ms off when last checked"
    return f"kept right by {state.source}{off}"
