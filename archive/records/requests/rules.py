"""Parents' rights: when a request is due, and how an amendment goes. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from .models import AmendmentState

LIMIT: Final = timedelta(days=45)
"""34 CFR 99.10(b), 300.613(a): in no case more than 45 days after the request."""


@dataclass(frozen=True)
class Due:
    """By when a request must be answered, and why then."""

    on: date
    why: str
    """`45 days`, `next IEP meeting` or `hearing`."""

    def late(self, today: date) -> bool:
        """Tell whether that day has passed."""
        return today > self.on


def due(received_on: date, iep_meetings: Iterable[date], hearing_on: date | None) -> Due:
    """Return the earliest of 45 days, the next IEP meeting, and a hearing (34 CFR 300.613(a)).

    A meeting or hearing before the request does not count; on a meeting's day, the answer must be there.
    """
    found = [Due(received_on + LIMIT, "45 days")]
    found += [Due(day, "next IEP meeting") for day in iep_meetings if day >= received_on]
    if hearing_on is not None and hearing_on >= received_on:
        found.append(Due(hearing_on, "hearing"))
    return min(found, key=lambda one: one.on)


NEXT: Final[dict[AmendmentState, frozenset[AmendmentState]]] = {
    AmendmentState.ASKED: frozenset({AmendmentState.AMENDED, AmendmentState.REFUSED}),
    AmendmentState.REFUSED: frozenset({AmendmentState.HEARING}),
    AmendmentState.HEARING: frozenset({AmendmentState.HEARING_AMENDED, AmendmentState.HEARING_REFUSED}),
    AmendmentState.AMENDED: frozenset(),
    AmendmentState.HEARING_AMENDED: frozenset(),
    AmendmentState.HEARING_REFUSED: frozenset(),
}
"""34 CFR 99.20(b) and (c), 99.21: decision; on refusal the parent is told of the hearing; the hearing decides."""
STATEMENT_IN: Final = frozenset({AmendmentState.HEARING_REFUSED})
"""34 CFR 99.21(b)(2): after a hearing that did not amend, a statement may be placed with the record."""


def may_follow(now: AmendmentState, then: AmendmentState) -> bool:
    """Tell whether an amendment may go from one state to another."""
    return then in NEXT[now]
