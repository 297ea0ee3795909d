"""Whether this host's clock can be right, as far as the custody log tells.

The log is the one thing here that tells the order of what was done, whatever a clock says. A clock that stands before
an entry is wrong, and one that is far behind the last entry may be. What cannot be taken back, and what opens something
to somebody, asks here first: no wrong clock destroys or opens anything earlier than the log allows. A clock that is
ahead by less than SILENCE does not show here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

from django.db.models import Max, QuerySet, Subquery
from django.db.models.functions import Substr
from django.utils import timezone

from appliance.contract.times import wall
from archive.core.database_clock import SLACK, why_off

from .custody_kinds import CLOCK
from .models import Entry, Head

SILENCE: Final = timedelta(days=100)
"""Longer than any summer in which nobody signs in; after such a time somebody must say that the clock is right."""


def behind(now: datetime, latest: datetime) -> str:
    """Return in words why a clock that shows `now` is wrong, where an entry was made at `latest`; else nothing."""
    if latest <= now + SLACK:
        return ""
    return (
        f"the archive's clock shows {wall(now)}, and the custody log has an entry of {wall(latest)}: the clock is or "
        "was wrong"
    )


def leap(days: Sequence[date]) -> tuple[date, date] | None:
    """Return the days between which the clock may have leapt, by the days of entries in their order, today last."""
    return next(((before, after) for before, after in pairwise(days) if after - before > SILENCE), None)


def leapt(days: Sequence[date]) -> str:
    """Return in words why the clock may have leapt, by the days of entries in their order, today last; else nothing."""
    found = leap(days)
    if found is None:
        return ""
    return (
        f"the custody log has no entry between {found[0]} and {found[1]}: either nothing was done for so long, or "
        "the archive's clock was put ahead"
    )


def why_behind() -> str:
    """Return in a sentence why the clock stands too early, or nothing: what had ended must not begin again."""
    return _told(_behind())


def why_wrong() -> str:
    """Return in a sentence why the clock stands too early or may stand too late: no period may end too soon."""
    return _told(doubt())


def doubt() -> str:
    """Return in words what speaks against the clock, for whoever can set it; else nothing."""
    return _behind() or leapt(_days())


def day_that_came() -> date:
    """Return the later one of today and the day of the latest entry: what begins until then has begun."""
    head, today = Head.objects.filter(pk=1).first(), timezone.localdate()
    return max(today, timezone.localdate(head.latest)) if head else today


def day_that_passed() -> date:
    """Return today, or the last day before the clock may have leapt ahead: what shuts until later is not over."""
    found = leap(_days())
    return found[0] if found is not None else timezone.localdate()


def _days() -> list[date]:
    """Return the days of the entries since somebody last confirmed the clock, in their order, and today."""
    days = _since_confirmed().annotate(day=Substr("at", 1, 10)).values_list("day", flat=True).distinct()
    return [*sorted(date.fromisoformat(day) for day in days), timezone.now().astimezone(UTC).date()]


@cache
def has_come() -> Subquery:
    """Return, for a query, the latest time that the log tells: what ended until then has ended, whatever a clock says.

    It is the database's beginning of time where the log is empty.
    """
    return Subquery(Head.objects.filter(pk=1).values("latest")[:1])


def _behind() -> str:
    head = Head.objects.filter(pk=1).first()
    return why_off() or (behind(timezone.now(), head.latest) if head else "")


def _told(why: str) -> str:
    if not why:
        return ""
    return f"Nothing was changed: {why}. Ask your administrator to look at it (plainsight-archive confirm-clock)."


def _since_confirmed() -> QuerySet[Entry]:
    confirmed = Entry.objects.filter(code=CLOCK.code).aggregate(n=Max("n"))["n"]
    return Entry.objects.filter(n__gte=confirmed or 0).order_by()
