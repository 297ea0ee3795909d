"""How long a recording is kept. Pure; sections cited.

No period stands here: Missouri may deem special-education records permanent (RSMo 167.027), its schedule has items for
them, and 34 CFR 300.624 has a parent ask for destruction. Which of them counts is the district's to decide, on advice.
What nobody decided is kept. The last day of a period destroys nothing: from the next one on, people may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from .models import CountsFrom

AHEAD: Final = timedelta(days=366)
"""How far ahead it is listed what may be destroyed: a year."""
_JUNE: Final = 6


class Why(StrEnum):
    """Why a recording is kept, or until when."""

    UNFILED = "unfiled"
    """It belongs to no meeting, so to no series."""
    FILING_OPEN = "filing-open"
    """A second person has not confirmed where it is filed, or somebody doubts it."""
    NO_SERIES = "no-series"
    """Nobody said to which series recordings of its meeting belong."""
    NO_ANSWER = "no-answer"
    """Nobody entered how long one of its series is kept."""
    PERMANENT = "permanent"
    """One of its series is kept for good."""
    NO_DATE = "no-date"
    """The day from which the years count is not known."""
    PERIOD = "period"
    """Its longest period ends on a known day."""


@dataclass(frozen=True)
class Period:
    """One decision about a series."""

    series: str
    """The series, in words."""
    entry: int
    """Number of its custody entry. The log's order counts, because a clock can be put back."""
    permanent: bool
    years: int | None
    counts_from: str
    on_request: bool
    """Whether a parent may ask for destruction before."""


@dataclass(frozen=True)
class Kept:
    """How long a recording is kept."""

    why: Why
    eligible_on: date | None = None
    """First day on which it may be destroyed; None: never, or not known."""
    series: tuple[str, ...] = ()
    """The series that say so."""
    on_request: bool = False
    """Whether it may be destroyed before at a parent's request (34 CFR 300.624(b)): every series allows it."""
    former: bool = False
    """Whether that follows from another kind, which its meeting was of before somebody corrected it."""

    def eligible(self, today: date) -> bool:
        """Tell whether its period is over."""
        return self.eligible_on is not None and self.eligible_on <= today


def governing(periods: Iterable[Period], first_entry: int) -> list[Period]:
    """Return the decisions that count for a recording whose first custody entry has this number.

    The one in force when it was made, and each since. So a longer period reaches what is here already, and a shorter
    one only what is made afterwards: no change of a period makes anything eligible at once.
    """
    ordered = sorted(periods, key=lambda one: one.entry)
    before = [one for one in ordered if one.entry < first_entry]
    return before[-1:] + [one for one in ordered if one.entry >= first_entry]


def kept(series: Sequence[Sequence[Period]], first_entry: int, days: Mapping[str, date | None]) -> Kept:
    """Return how long a recording is kept that belongs to `series`, each given by its decisions; the longest wins.

    `days` has the day for each CountsFrom, None where it is not known.
    """
    if not series:
        return Kept(Why.NO_SERIES)
    counted = [governing(periods, first_entry) for periods in series]
    if not all(counted):
        return Kept(Why.NO_ANSWER)
    every = [one for periods in counted for one in periods]
    on_request = all(one.on_request for one in every)
    permanent = tuple(dict.fromkeys(one.series for one in every if one.permanent))
    if permanent:
        return Kept(Why.PERMANENT, series=permanent, on_request=on_request)
    ends = [(after(days.get(one.counts_from), one.years or 0), one.series) for one in every]
    unknown = tuple(dict.fromkeys(name for end, name in ends if end is None))
    if unknown:
        return Kept(Why.NO_DATE, series=unknown, on_request=on_request)
    last = max(end for end, _ in ends if end is not None)
    return Kept(Why.PERIOD, last, tuple(dict.fromkeys(name for end, name in ends if end == last)), on_request)


def after(day: date | None, years: int) -> date | None:
    """Return the first day behind a period of `years` from `day` on; the anniversary itself still belongs to it."""
    if day is None:
        return None
    try:
        anniversary = day.replace(year=day.year + years)
    except ValueError:
        anniversary = date(day.year + years, 3, 1)
    return anniversary + timedelta(days=1)


def school_year_ends(day: date) -> date:
    """Return the last day of the school year of `day`: June 30 (RSMo 160.041)."""
    return date(day.year + (day.month > _JUNE), 6, 30)


def counted_days(meeting: date, left_on: date | None) -> dict[str, date | None]:
    """Return the day for each way to count."""
    return {
        CountsFrom.MEETING: meeting,
        CountsFrom.SCHOOL_YEAR: school_year_ends(meeting),
        CountsFrom.LEFT: left_on,
    }
