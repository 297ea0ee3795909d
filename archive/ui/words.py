"""Plain words for codes, states and times: what the pages say instead of what the machines write."""

from __future__ import annotations

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
    "complete": "complete",
    "interrupted": "interrupted: a crash or a power cut ended it",
    "incomplete": "incomplete: the box never closed it",
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
    """Return an amber code in words; an unknown one is spelled out, never hidden."""
    return amber_codes.find(code).phrase if amber_codes.known(code) else code.replace("-", " ")


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


def clock(state: Clock) -> str:
    """Return how far a box's clock is to be trusted."""
    if not state.synchronized:
        return "not set by any time source: its times may be wrong"
    off = "" if state.offset_ns is None else f", {abs(state.offset_ns) / 1e6:.1f} ms off at last look"
    return f"kept right by {state.source}{off}"
