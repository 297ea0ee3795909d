"""What must be here of recordings that are no rows of a box's, and what their regular checks found.

The apps above tell it; the audit compares, and the report of the checks counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from archive.accounts.models import User


@dataclass(frozen=True)
class KeptElsewhere:
    """What must be here of a recording that is no row of a box's."""

    recording: str
    sealed: bool
    """Whether its package must be here."""
    package_size: int
    """In bytes; 0 before the seal."""
    key_arrived: bool
    """Whether its key must be here."""
    looked_at: datetime | None
    """When it was last checked, or sealed; None before the seal."""
    damaged: bool
    """Whether the last check did not find what was sealed."""


@dataclass(frozen=True)
class Damage:
    """What the page of the checks says of one that is damaged."""

    called: str
    """What people call it; no name is in it."""
    recording: str
    checked_at: datetime
    problem: str
    """What was found."""
    address: str
    """Its page, if the reader may look; else empty."""


@dataclass(frozen=True)
class Elsewhere:
    """A kind of recordings that are no rows of a box's."""

    folder: str
    """The folder of the store that holds their packages and nothing else."""
    package: Callable[[str], str]
    """The name of a recording's package there."""
    rows: Callable[[], Iterable[KeptElsewhere]]
    """Those that are not destroyed."""
    damaged: Callable[[User], list[Damage]]
    """Those damaged ones that a reader may see in lists, the newest first."""


_elsewhere: Final[list[Elsewhere]] = []


def register_elsewhere(kind: Elsewhere) -> None:
    """Have recordings of another kind than a box's compared with what is here, and counted."""
    _elsewhere.append(kind)


def kinds_elsewhere() -> tuple[Elsewhere, ...]:
    """Return the kinds that were registered."""
    return tuple(_elsewhere)
