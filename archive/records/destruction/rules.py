"""What stands against a destruction. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from archive.records.retention.rules import Kept

from .models import Basis, Reply, State

REST: Final = timedelta(hours=24)
"""Between the second person's approval and the deed: what was clicked wrongly is noticed overnight."""
ANSWER: Final = timedelta(days=45)
"""How long a letter waits for an answer: as long as the district has for one to a parent (34 CFR 99.10(b))."""
STANDS_AGAINST: Final = frozenset({Reply.WANTS_COPY, Reply.OBJECTS})
"""Answers after which nothing is destroyed, as long as they stand."""
AGREED: Final = frozenset({Reply.AGREES, Reply.HAS_COPY})
"""Answers of somebody who lets it be destroyed."""


class Obstacle(StrEnum):
    """What stands against it."""

    KEPT = "kept"
    """Its period is not over, or nobody decided; and no parent may ask for its destruction before."""
    NOT_ASKED = "not-asked"
    """Its period is not over, and of one of its students nobody who holds rights asked for it or agreed."""
    HELD = "held"
    """A matter holds it."""
    HELD_IN_STORE = "held-in-store"
    """A legal hold was seen on its package, and no matter holds it."""
    LOCKED = "locked"
    """Its lock in the store has not ended, and the district's settings say that nothing is destroyed before."""
    REQUEST_OPEN = "request-open"
    """A request to inspect or to amend is open (34 CFR 99.10(e))."""
    DISCLOSURE_OPEN = "disclosure-open"
    """A disclosure is prepared, and its copy was not taken out: a court, a school or a parent waits for it."""
    NOBODY_TO_TELL = "nobody-to-tell"
    """The archive knows nobody who holds rights over the records of one of its students."""
    NOT_TOLD = "not-told"
    """A rights-holder was not told (34 CFR 300.624(a)), or the letter not delivered."""
    NO_REPLY = "no-reply"
    """A rights-holder's answer was not entered."""
    SILENT_TOO_SOON = "silent-too-soon"
    """No answer came, and the letter has not waited long enough."""
    REPLY_AGAINST = "reply-against"
    """A rights-holder wants a copy first, or does not agree."""
    NOT_APPROVED = "not-approved"
    """No second person approved it."""
    REST = "rest"
    """The day of rest is not over."""
    CLOCK = "clock"
    """The archive's clock stands before the approval: somebody put it back."""


@dataclass(frozen=True)
class Letter:
    """A rights-holder who must be told."""

    delivered_at: datetime | None
    """When the letter was delivered; None: it was not written or not delivered."""
    reply: str = ""
    """One of Reply; empty while none was entered."""
    student: str = ""
    """Over whose records the person holds rights; empty for one who holds none any more."""
    asked: bool = False
    """Whether this person asked for the destruction."""


@dataclass(frozen=True)
class Standing:
    """What is known when somebody wants to go on."""

    kept: Kept
    basis: Basis
    held: bool
    requests_open: bool
    disclosures_open: bool
    """Whether a copy of it is to leave that nobody took out yet."""
    everybody_known: bool
    """Whether somebody holds rights over the records of each of its students."""
    letters: Sequence[Letter]
    """One for each of them."""
    now: datetime
    today: date
    state: State = State.PROPOSED
    approved_at: datetime | None = None
    locked_until: datetime | None = None
    """Until when the store lets nobody remove it; None: a destruction can at any time."""
    held_in_store: bool = False
    """Whether a legal hold was seen on its package in the store."""


def against_approval(standing: Standing) -> list[Obstacle]:
    """Return what stands against a second person's approval, and goes on standing against the deed."""
    kept, letters = standing.kept, standing.letters
    over, on_request = kept.eligible(standing.today), standing.basis == Basis.REQUEST and kept.on_request
    limit = standing.now - ANSWER
    holds = {
        Obstacle.KEPT: not over and not on_request,
        Obstacle.NOT_ASKED: not over and on_request and not _asked_for(letters),
        Obstacle.HELD: standing.held,
        Obstacle.HELD_IN_STORE: standing.held_in_store and not standing.held,
        Obstacle.LOCKED: standing.locked_until is not None and standing.now < standing.locked_until,
        Obstacle.REQUEST_OPEN: standing.requests_open,
        Obstacle.DISCLOSURE_OPEN: standing.disclosures_open,
        Obstacle.NOBODY_TO_TELL: not standing.everybody_known,
        Obstacle.NOT_TOLD: any(one.delivered_at is None for one in letters),
        Obstacle.NO_REPLY: any(not one.reply for one in letters),
        Obstacle.SILENT_TOO_SOON: any(
            one.reply == Reply.SILENT and (one.delivered_at is None or one.delivered_at > limit) for one in letters
        ),
        Obstacle.REPLY_AGAINST: any(one.reply in STANDS_AGAINST for one in letters),
    }
    return [obstacle for obstacle, stands in holds.items() if stands]


def _asked_for(letters: Sequence[Letter]) -> bool:
    """Tell whether for each student somebody who holds rights asked for it or agreed.

    34 CFR 300.624(b): it is at the request of the parents that a record is destroyed; one student's speak for no other.
    """
    willing = {one.student for one in letters if one.asked or one.reply in AGREED}
    return all(one.student in willing for one in letters if one.student)


def against_deed(standing: Standing) -> list[Obstacle]:
    """Return what stands against carrying it out."""
    found = against_approval(standing)
    approved_at = standing.approved_at
    if standing.state != State.APPROVED or approved_at is None:
        return [*found, Obstacle.NOT_APPROVED]
    if standing.now < approved_at:
        return [*found, Obstacle.CLOCK]
    return [*found, Obstacle.REST] if standing.now < approved_at + REST else found
