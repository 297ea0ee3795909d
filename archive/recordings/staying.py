"""Which recordings must stay whatever else is decided. The records know it, and register it here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Final

MayGo = Callable[[str], date | None]
Identifiers = Callable[[Collection[str] | None], AbstractSet[str]]
"""Returns recordings: all that there are, or those among some."""
_held: Final[list[Identifiers]] = []
_ever_held: Final[list[Identifiers]] = []
_periods: Final[list[MayGo]] = []


def register_holds(held: Identifiers, ever_held: Identifiers) -> None:
    """Have `held` tell which recordings, whoever made them, are on hold now, and `ever_held` which ever were."""
    _held.append(held)
    _ever_held.append(ever_held)


def held_now(among: Collection[str] | None = None) -> set[str]:
    """Return the recordings, of all or `among` some, that are on hold, sealed or not."""
    return {one for known in _held for one in known(among)}


def ever_held(among: Collection[str] | None = None) -> set[str]:
    """Return the recordings, of all or `among` some, that are or were on hold, as far as the database knows."""
    return {one for known in _ever_held for one in known(among)}


def register_period(may_go_on: MayGo) -> None:
    """Have `may_go_on` tell the first day on which a recording may be destroyed; None: never, or nobody decided."""
    _periods.append(may_go_on)


def may_go_on(recording: str) -> date | None:
    """Return the first day on which a recording may be destroyed; None: never, not known, or nobody can say."""
    days = [known(recording) for known in _periods]
    return None if not days or None in days else max(day for day in days if day is not None)
