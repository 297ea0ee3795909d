"""How often enrolling and renewing may fail, by address and overall, so that strangers cost the archive little.

Beyond the limits nothing is verified, written or signed for a stranger. A claim that is good and a key that is believed
are looked at all the same: no stranger locks a box out, whatever address they share. That opens no way to guess: a
claim has 80 random bits, a key 128 bits of security.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Final, TypeVar

from appliance.contract.errors import PlainSightError, StorageError

from .models import FailedAttempt

WINDOW: Final = timedelta(minutes=5)
"""Failures count for so long."""
MAX_ADDRESS: Final = 20
"""Failures from one address: a whole school may share one, and people mistype."""
MAX_ALL: Final = 300
"""Failures from all addresses together: one a second."""
Answer = TypeVar("Answer")


class TooManyAttemptsError(PlainSightError):
    """So many attempts failed that this one is not looked at."""

    code: ClassVar[str] = "too-many-attempts"
    status: ClassVar[int] = 429

    def __init__(self, wait: timedelta) -> None:
        seconds = math.ceil(wait.total_seconds())
        super().__init__(f"too many attempts failed; try again in {seconds} s")
        self.headers = {"Retry-After": str(seconds)}
        """Until one of the failures no longer counts."""


def bounded(work: Callable[[], Answer], is_good: Callable[[], bool], *, address: str, now: datetime) -> Answer:
    """Return what `work` returns, and count its refusal; raise TooManyAttemptsError beyond the limits.

    `is_good` tells cheaply, and without a change, whether the request names a good claim or a key that is believed.
    """
    wait = _wait(address, now)
    if wait and not is_good():
        raise TooManyAttemptsError(wait)
    try:
        return work()
    except PlainSightError as error:
        # beyond the limits not even this is written
        if not wait and error.status < StorageError.status:
            FailedAttempt.objects.filter(at__lte=now - WINDOW).delete()
            FailedAttempt.objects.create(address=address, at=now)
        raise


def _wait(address: str, now: datetime) -> timedelta:
    """Return how long it takes until both limits allow another failure."""
    failed = FailedAttempt.objects.filter(at__gt=now - WINDOW).order_by("-at")
    reached = [
        rows.values_list("at", flat=True)[most - 1 : most].first()
        for rows, most in ((failed.filter(address=address), MAX_ADDRESS), (failed, MAX_ALL))
    ]
    return max((at + WINDOW - now for at in reached if at is not None), default=timedelta())
