"""Regular checks of every sealed package, spread over the nights: what is damaged is found while a good copy exists.

A package becomes due when half the period is over since its last check or its seal, and each night takes twice the
share that the period would need. So a package is checked within the period even if all were sealed in one day, as long
as nights are not missed. What was done stands in rows: a worker that is killed goes on where it was.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, DateTimeField, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.configuration.storage import Fixity
from archive.custody.actors import ARCHIVE, ActorType

from .elsewhere import kinds_elsewhere
from .models import Recording, State, Verification
from .verification import ask

LOOK_S: Final = 60.0
"""How often the worker looks whether something is due, in seconds."""
AT_ONCE: Final = 50
"""Most checks that wait at a time."""


def share(packages: int, every_days: int) -> int:
    """Return how many packages a night takes. Pure."""
    return math.ceil(2 * packages / every_days)


def night_since(now: datetime, chosen: Fixity) -> datetime | None:
    """Return when the night began that `now`, a local time, belongs to; None by day. Pure."""
    begin, hours = time(chosen.from_hour), (chosen.to_hour - chosen.from_hour) % 24 or 24
    today = datetime.combine(now.date(), begin, now.tzinfo)
    since = today if now >= today else today - timedelta(days=1)
    return since if now - since < timedelta(hours=hours) else None


def kept() -> QuerySet[Recording]:
    """Return the recordings whose packages must be here, with `looked_at`: when each was last checked, or sealed."""
    last = Coalesce(F("verification__finished_at"), F("sealed_at"), output_field=DateTimeField())
    return Recording.objects.filter(state=State.SEALED, destroyed_at=None).annotate(looked_at=last)


def damaged() -> QuerySet[Recording]:
    """Return those whose last check did not find what was sealed; a check that waits or runs takes none away."""
    # only what is sealed is ever checked: a condition that says so would have all that is sealed looked through
    found = Verification.objects.filter(damaged=True)
    return Recording.objects.filter(pk__in=found.values("pk"), destroyed_at=None)


def due(now: datetime, every_days: int) -> QuerySet[Recording]:
    """Return those whose turn it is, the oldest check first."""
    waits = Verification.objects.filter(finished_at=None).values("pk")
    long_ago = Q(looked_at__lte=now - timedelta(days=every_days / 2))
    return kept().exclude(pk__in=waits).filter(long_ago | _never(now)).order_by("looked_at")


def overdue(now: datetime, every_days: int) -> Q:
    """Return the condition that nothing has looked at one for longer than the period."""
    return Q(looked_at__lt=now - timedelta(days=every_days)) | _never(now)


def is_due(looked_at: datetime, now: datetime, every_days: int) -> bool:
    """Tell whether it is the turn of one that is no row of a box's. Pure."""
    return is_overdue(looked_at, now, every_days) or looked_at <= now - timedelta(days=every_days / 2)


def is_overdue(looked_at: datetime, now: datetime, every_days: int) -> bool:
    """Tell the same of one that is no row of a box's. Pure."""
    return not now - timedelta(days=every_days) <= looked_at <= now + timedelta(days=1)


def _never(now: datetime) -> Q:
    """Return the condition that a check is dated in the future: the clock was put back, so nobody knows when it was."""
    return Q(looked_at__gt=now + timedelta(days=1))


def ask_what_is_due(stop: StopSignal) -> int:
    """Ask for tonight's checks, some at a time, and return for how many: a job of the worker."""
    chosen, now = settings.ARCHIVE.fixity, timezone.localtime()
    since = night_since(now, chosen)
    if since is None:
        return 0
    own = Verification.objects.filter(asked_by_type=ActorType.ARCHIVE)
    waiting, done = own.filter(finished_at=None).count(), own.filter(finished_at__gte=since).count()
    left = min(share(kept().count(), chosen.every_days) - done, AT_ONCE) - waiting
    asked = 0
    for row in due(now, chosen.every_days)[: max(left, 0)]:
        if stop.is_set():
            break
        ask(row, ARCHIVE)
        asked += 1
    return asked


@dataclass(frozen=True)
class FixityReport:
    """How the packages are."""

    every_days: int
    """The period, in days."""
    packages: int
    """Sealed packages that must be here."""
    checked: int
    """Those that were checked within the period; the seal itself, which reads its package back, counts as one."""
    overdue: int
    """Those that were not."""
    waiting: int
    """Checks that wait or run now."""
    damaged: tuple[str, ...]
    """Recordings whose package is not what was sealed, or cannot be read."""
    oldest: datetime | None
    """When the package was looked at that was not looked at for longest."""

    def as_json(self) -> dict[str, object]:
        """Return it for scripts."""
        return asdict(self) | {"oldest": self.oldest.isoformat() if self.oldest else None}


def report(now: datetime) -> FixityReport:
    """Return how the packages are."""
    every_days = settings.ARCHIVE.fixity.every_days
    others = [one for kind in kinds_elsewhere() for one in kind.rows() if one.looked_at is not None]
    looked_at = [one.looked_at for one in others if one.looked_at is not None]
    # at once: each of the three goes through all packages and their checks
    found = kept().aggregate(
        packages=Count("pk"), late=Count("pk", filter=overdue(now, every_days)), oldest=Min("looked_at")
    )
    packages = found["packages"] + len(others)
    late = found["late"] + sum(is_overdue(at, now, every_days) for at in looked_at)
    if found["oldest"] is not None:
        looked_at.append(found["oldest"])
    damaged_ones = damaged().order_by("pk").values_list("pk", flat=True)
    return FixityReport(
        every_days=every_days,
        packages=packages,
        checked=packages - late,
        overdue=late,
        waiting=Verification.objects.filter(finished_at=None).count(),
        damaged=tuple(sorted([*damaged_ones, *(one.recording for one in others if one.damaged)])),
        oldest=min(looked_at, default=None),
    )
