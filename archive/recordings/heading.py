"""The title of a recording as a person would say it: which room, which day, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appliance.contract import ledger
from archive.ui import words

from .dating import believable
from .models import Recording
from .wall_clock import wall_clock


@dataclass(frozen=True)
class Heading:
    """What a recording is called."""

    room: str
    """Where it was made."""
    times: str
    """Day, begin and end, or that they are not known."""
    known: bool
    """Whether day and times are known at all."""
    clock_note: str
    """What to know about these times; empty where the box's clock was right."""

    def __str__(self) -> str:
        """Return the whole."""
        return f"{self.room}, {self.times}"


def room_name(recording: Recording) -> str:
    """Return the name of the room where a recording was made, or the box's identifier if that is not known."""
    return recording.room.name if recording.room else recording.box_id


def heading(recording: Recording, entries: Sequence[ledger.Entry]) -> Heading:
    """Return the heading; `entries` are the ledger's, as far as it can be read."""
    room, clock = room_name(recording), wall_clock(recording.signed_header, entries)
    began = clock.moment(recording.signed_header.created_ns)
    # not the last line: after a power cut it is written by another start of the box, with another CLOCK_MONOTONIC
    captured = [entry.fact.captured_ns for entry in entries if isinstance(entry.fact, ledger.Segment)]
    ended = max([began, *map(clock.moment, captured[-1:])])
    if not believable(began, recording.arrived_at, trusted=clock.trusted):
        note = _("The box's clock was wrong, so the date is not known; it began to arrive {when}.")
        arrived = words.when(localtime(recording.arrived_at))
        return Heading(room, _("date not known"), False, note.format(when=arrived))
    times = words.from_to(localtime(began), localtime(ended))
    note = "" if clock.trusted else _("No time source kept the box's clock right: these times may be wrong.")
    return Heading(room, times, True, note)
