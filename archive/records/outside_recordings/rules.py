"""What follows from a place in a file that is being brought, and what people say about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from appliance.contract.outside_package import PIECE
from archive.records.errors import DeedError

TO_BRING: Final = timedelta(days=14)
"""How long somebody has to bring all of a file, from the day on which it was announced: our choice. Nothing goes
on that day: the task is late then, and a person brings the rest or gives it up, which removes what was said."""


@dataclass(frozen=True)
class Due:
    """Until when all of a file should be here."""

    on: date
    late: bool
    """Whether that day is over."""


def due_of(begun_on: date, today: date) -> Due:
    """Return until when all of a file should be here that was announced on `begun_on`."""
    on = begun_on + TO_BRING
    return Due(on, today > on)


@dataclass(frozen=True)
class Statement:
    """What the one who brings a recording says about it. One person says it, another account writes it down."""

    origin: str
    """A value of models.Origin."""
    made_on: date
    made_at: time | None
    """Time of day of its begin, in the site's zone; None if nobody knows."""
    place: str
    made_by: str
    """Who made it: name and part in the meeting."""
    made_with: str
    """Device or program."""
    since: str
    """What was done with it since: copied, converted, cut."""
    brought_by: str
    brought_on: date


class PieceError(DeedError):
    """A piece does not fit the file that is being brought."""

    code = "wrong-piece"


class OtherFileError(DeedError):
    """The bytes are not those of the file whose begin is here."""

    code = "other-file"


def check_statement(said: Statement, today: date) -> None:
    """Raise DeedError, which names the field, for days that cannot be."""
    if said.made_on > today:
        raise DeedError("This day is still to come.", field="made_on")
    if said.brought_on > today:
        raise DeedError("This day is still to come.", field="brought_on")
    if said.brought_on < said.made_on:
        raise DeedError("It was brought before it was made; one of both days is wrong.", field="brought_on")


def check_piece(at: int, size: int, length: int, longest: int) -> int:
    """Return the number of the piece of `length` bytes at byte `at` of a file of `size`; raise PieceError.

    `longest` is the most bytes that a file may have.
    """
    if not 0 < size <= longest:
        raise PieceError(f"A file has 1 byte to {longest >> 20} MiB; this one cannot be taken in.")
    if at < 0 or at % PIECE or at >= size or length != min(PIECE, size - at):
        raise PieceError("This piece does not fit the file. Choose the file again; what arrived is kept.")
    return at // PIECE
