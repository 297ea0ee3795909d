"""Parents' rights: when a request is due, and how an amendment goes. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from archive.records.errors import DeedError
from archive.ui.words import day

from .models import AmendmentState, NoHearing

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
    AmendmentState.REFUSED: frozenset({AmendmentState.HEARING, AmendmentState.NO_HEARING}),
    AmendmentState.NO_HEARING: frozenset({AmendmentState.HEARING}),
    AmendmentState.HEARING: frozenset(
        {
            AmendmentState.HEARING,
            AmendmentState.HEARING_AMENDED,
            AmendmentState.HEARING_REFUSED,
            AmendmentState.NO_HEARING,
        }
    ),
    AmendmentState.AMENDED: frozenset(),
    AmendmentState.HEARING_AMENDED: frozenset(),
    AmendmentState.HEARING_REFUSED: frozenset(),
}
"""34 CFR 99.20(b) and (c), 99.21: decision; on refusal the parent is told of the hearing; the hearing decides.

A hearing is given on request (99.21(a), 300.619), and no section says until when one can be asked for. So an amendment
without a hearing is over only for now: whoever asks later gets one. A parent who asked can also give it up.
A hearing follows a hearing that is moved, or was entered wrongly: its day is reasonable to the parent (99.22(b))."""
OPEN: Final = frozenset({AmendmentState.ASKED, AmendmentState.REFUSED, AmendmentState.HEARING})
"""Where somebody still has to do something; meanwhile the record is not destroyed."""
STATEMENT_IN: Final = frozenset({AmendmentState.HEARING_REFUSED, AmendmentState.NO_HEARING})
"""When a statement may be placed with the record.

34 CFR 99.21(b)(2) and 300.620(b) give the right after a hearing that did not amend it. Without a hearing neither gives
it nor forbids it; the archive takes the statement then as well, and treats it as 99.21(c) asks."""
WAIT: Final = 45
"""How many days a form proposes to wait for a parent to ask for a hearing: our choice, as long as the district has for
an answer to a parent (34 CFR 99.10(b)). The district decides."""


def may_follow(now: AmendmentState, then: AmendmentState) -> bool:
    """Tell whether an amendment may go from one state to another."""
    return then in NEXT[now]


@dataclass(frozen=True)
class Unheard:
    """What is known of an amendment of which somebody says that no hearing is asked for."""

    state: AmendmentState
    decided_on: date | None
    told_on: date | None
    """When the letter of the refusal, which tells of the right to a hearing, was delivered; None: it was not."""
    days: int | None
    """How many days after that the district waits."""
    holds_rights: bool
    """Whether whoever asked to amend holds rights over the record today."""

    @property
    def until(self) -> date | None:
        """Return the last day on which the district waits; None while the parent was not told."""
        return None if self.told_on is None or self.days is None else self.told_on + timedelta(days=self.days)

    def reasons(self) -> tuple[NoHearing, ...]:
        """Return what can have ended it: no time ends a hearing that was asked for."""
        return tuple(one for one in NoHearing if one != NoHearing.TIME or self.state != AmendmentState.HEARING)


def check_no_hearing(known: Unheard, why: NoHearing, on: date, today: date) -> None:
    """Raise DeedError, which names the field, unless no hearing is asked for as of that day.

    Nobody waives a right, or lets it pass, of which they were not told (34 CFR 99.20(c)).
    """
    if not may_follow(known.state, AmendmentState.NO_HEARING) or why not in known.reasons():
        raise DeedError("This step does not follow from where the amendment stands.", field="why")
    if on > today:
        raise DeedError("This day is still to come.", field="on")
    if known.decided_on is not None and on < known.decided_on:
        raise DeedError(f"The amendment was refused only on {day(known.decided_on)}.", field="on")
    if why == NoHearing.NO_RIGHTS:
        if known.holds_rights:
            raise DeedError("This person holds rights over the record, as far as this archive knows.", field="why")
        return
    if known.state == AmendmentState.HEARING:
        return
    if known.told_on is None:
        raise DeedError(
            "The parent was not told of the right to a hearing (34 CFR 99.20(c)). Deliver the letter of the refusal, "
            "and note its delivery first.",
            field="why",
        )
    if on < known.told_on:
        raise DeedError(f"The parent was told of the right to a hearing only on {day(known.told_on)}.", field="on")
    if why == NoHearing.TIME and (known.until is None or on <= known.until):
        until = "" if known.until is None else f" until {day(known.until)}"
        raise DeedError(f"The district waits for the parent{until}; that time has not passed.", field="on")
