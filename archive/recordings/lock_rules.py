"""When the lock of a package in a bucket is renewed, and until when. Pure.

A lock must not end before the recording may be destroyed. Where destructions bypass locks, a renewal costs nobody
anything and is as long as the first lock was. Where nothing is destroyed before its lock ends, a renewal binds the
district, so it is short: once the recording may be destroyed, its lock ends within a quarter of a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

BEFORE: Final = timedelta(days=30)
"""A lock is renewed so long before its end: a bucket, or the worker, may be away for weeks."""
STEP: Final = timedelta(days=90)
"""The longest renewal where nothing is destroyed before its lock ends."""
LOOK_AGAIN: Final = timedelta(days=7)
"""So long what was seen of a lock is believed."""
LOOK_AT_LEAST: Final = timedelta(hours=1)
"""No lock is looked at more often because of its end, whatever a server says of that."""


@dataclass(frozen=True)
class Renewal:
    """How locks are renewed in a bucket."""

    days: int
    """For how long an object is locked from the moment it is kept (store.s3.retention_days)."""
    destroys_early: bool
    """Whether a destruction bypasses a lock that has not ended (store.s3.destroys_early)."""

    @property
    def before(self) -> timedelta:
        """How long before its end a lock is renewed; where locks are short, when a third of one is left."""
        return min(BEFORE, timedelta(days=self.days) / 3)

    def is_due(self, until: datetime | None, now: datetime) -> bool:
        """Tell whether a lock that ends at `until` (None: there is none) must be looked after now."""
        return until is None or until - now <= self.before

    def looked_at_again(self, until: datetime | None, now: datetime, *, renews: bool) -> datetime:
        """Return when a lock that was seen now is looked at again; one that may end each day, since that may change."""
        after = LOOK_AGAIN if renews else timedelta(days=1)
        if renews and until is not None:
            after = min(after, until - self.before - now)
        return now + max(after, LOOK_AT_LEAST)

    def renewed(self, until: datetime | None, now: datetime, *, stays: bool) -> datetime | None:
        """Return until when a lock is extended now; None: it is not. It is never shortened.

        `stays` says that the recording may not be destroyed, because of its period, a hold, or because nobody decided.
        """
        if not self.is_due(until, now) or not (stays or self.destroys_early):
            return None
        whole = timedelta(days=self.days)
        wanted = now + (whole if self.destroys_early else min(whole, STEP))
        return wanted if until is None or wanted > until else None


def stays(may_go_on: date | None, today: date, *, held: bool) -> bool:
    """Tell whether a recording may not be destroyed today; `may_go_on` is the first day it may (None: never, unknown).

    34 CFR 300.624, 99.10(e); the district's decisions about its series say the day (archive.records.retention).
    """
    return held or may_go_on is None or may_go_on > today
