"""Whether this host's clock can be right, as far as the custody log tells.

The log is the one thing here that tells the order of what was done, whatever a clock says. A clock that stands before
an entry is wrong, and one that is far behind the last entry may be. What cannot be taken back, and what opens something
to somebody, asks here first: no wrong clock destroys or opens anything earlier than the log allows. A clock that is
ahead by less than SILENCE does not show here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
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


def leapt(days: Sequence[date]) -> str:
    """Return in words why the clock may have leapt, by the days of entries in their order, today last; else nothing."""
    for before, after in pairwise(days):
        if after - before > SILENCE:
            return (
                f"the custody log has no entry between {before} and {after}: either nothing was done for so long, or "
                "the archive's clock was put ahead"
            )
    return ""


def why_behind() -> str:
    """Return in a sentence why the clock stands too early, or nothing: what had ended must not begin again."""
    return _told(_behind())


def why_wrong() -> str:
    """Return in a sentence why the clock stands too early or may stand too late: no period may end too soon."""
    return _told(doubt())


def doubt() -> str:
    """Return in words what speaks against the clock, for whoever can set it; else nothing."""
    days = _since_confirmed().annotate(day=Substr("at", 1, 10)).values_list("day", flat=True).distinct()
    found = sorted(date.fromisoformat(day) for day in days)
    return _behind() or leapt([*found, timezone.now().astimezone(UTC).date()])


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
