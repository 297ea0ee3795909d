"""What must be here of recordings that are no rows of a box's: the apps above tell it, and the audit compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


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


@dataclass(frozen=True)
class Elsewhere:
    """A kind of recordings that are no rows of a box's."""

    folder: str
    """The folder of the store that holds their packages and nothing else."""
    package: Callable[[str], str]
    """The name of a recording's package there."""
    rows: Callable[[], Iterable[KeptElsewhere]]
    """Those that are not destroyed."""


_elsewhere: Final[list[Elsewhere]] = []


def register_elsewhere(kind: Elsewhere) -> None:
    """Have recordings of another kind than a box's compared with what is here."""
    _elsewhere.append(kind)


def kinds_elsewhere() -> tuple[Elsewhere, ...]:
    """Return the kinds that were registered."""
    return tuple(_elsewhere)
