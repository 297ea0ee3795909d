"""Access to a student's recordings: for whom, for what, until when, and when it is reviewed. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from archive.access.deeds import Deed

LONGEST: Final = timedelta(days=400)
"""A grant to staff ends within a school year and a summer; a longer need is granted again, after a look."""
SOON: Final = timedelta(days=30)
"""How long before its end a grant is listed as ending."""

STAFF_DEEDS: Final[dict[str, frozenset[Deed]]] = {
    "look": frozenset({Deed.LIST, Deed.LOOK}),
    "listen": frozenset({Deed.LIST, Deed.LOOK, Deed.LISTEN}),
    "copy": frozenset({Deed.LIST, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD}),
}
"""What staff can be given for one student's recordings: 34 CFR 99.31(a)(1) asks for reasonable methods, so the least
that the purpose needs."""


def quarter(day: date) -> str:
    """Return the quarter of a day: `2026-Q4`."""
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def quarter_begins(name: str) -> date:
    """Return the first day of a quarter; raise ValueError for a text that names none."""
    year, _, number = name.partition("-Q")
    return date(int(year), int(number) * 3 - 2, 1)


@dataclass(frozen=True)
class ReviewDue:
    """Whether the grants must be gone through (34 CFR 300.623(d): a current list of those with access)."""

    quarter: str
    due: date
    late: bool


def review_due(done: Iterable[str], today: date) -> ReviewDue | None:
    """Return the review of the present quarter if nobody made it; it is late after the quarter's first month."""
    now = quarter(today)
    if now in set(done):
        return None
    due = quarter_begins(now) + timedelta(days=30)
    return ReviewDue(now, due, today > due)


def ends_soon(until: datetime | None, now: datetime) -> bool:
    """Tell whether a grant ends within the next month."""
    return until is not None and now < until <= now + SOON
