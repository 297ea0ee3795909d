"""Leases: what one process does while several could, until it is done, gives it back, or dies.

A lease is a row with an end that its holder moves on every few seconds; whoever finds the end in the past takes it. No
transaction is open and no row is locked while the work goes on, so a worker may wait for a disk, a store or a mail
server. The database's clock decides, whatever those of the hosts say. A lease spares work and is no proof: what must
not happen twice is refused in a transaction as well.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from .models import Lease

LASTS: Final = timedelta(seconds=20)
"""A lease whose holder said nothing for so long is free."""
MARGIN_S: Final = 5.0
"""A holder believes in its lease for so much less, in seconds: an answer of the database takes a while."""
SLACK: Final = timedelta(seconds=5)
"""A lease may end so much later than one that is taken now: clocks are set right all the time."""
_PAST: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Holder:
    """One process, or what a test takes for one. Its threads may ask at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._id = secrets.token_hex(16)
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, name: str) -> bool:
        """Hold `name` from now on, unless somebody else does. Call it outside of any transaction."""
        now = self._clock()
        with self._lock:
            if self._until.get(name, now) > now:
                return True
        # no lease ends so late: its holder took it before the clock was put back, and may long be dead
        too_late = Now() + LASTS + SLACK
        if Lease.objects.filter(pk=name, until__gt=Now(), until__lte=too_late).exclude(holder=self._id).exists():
            return False
        with transaction.atomic():
            Lease.objects.bulk_create([Lease(name=name, holder="", until=_PAST)], ignore_conflicts=True)
            free = Lease.objects.select_for_update(skip_locked=True).filter(pk=name)
            if free.filter(Q(until__lte=Now()) | Q(until__gt=too_late) | Q(holder=self._id)).first() is None:
                return False
            Lease.objects.filter(pk=name).update(holder=self._id, until=Now() + LASTS)
        self._believe([name], now)
        return True

    def renew(self) -> None:
        """Move the ends of what is held on; what somebody else took meanwhile is held no longer."""
        now = self._clock()
        with self._lock:
            names = list(self._until)
        if not names:
            return
        mine = Lease.objects.filter(pk__in=names, holder=self._id)
        if mine.update(until=Now() + LASTS) < len(names):
            kept = set(mine.values_list("pk", flat=True))
            with self._lock:
                self._until = {name: until for name, until in self._until.items() if name in kept}
            names = list(kept)
        self._believe(names, now)

    def give_back(self, *names: str) -> None:
        """Let others have `names`, or all that is held."""
        with self._lock:
            given = [name for name in names or list(self._until) if self._until.pop(name, None) is not None]
        if given:
            Lease.objects.filter(pk__in=given, holder=self._id).delete()

    def _believe(self, names: list[str], since: float) -> None:
        with self._lock:
            for name in names:
                self._until[name] = since + LASTS.total_seconds() - MARGIN_S


MINE: Final = Holder()
"""This process."""
