"""What one box may hand in, so that one that is broken or stolen costs the others nothing.

The limits are far above what a room can record: a box that was away for two weeks gets rid of all it kept, only not
within a minute. A refusal has a code of its own; the box waits and tries again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db.models import Sum

from appliance.contract.errors import PlainSightError
from archive.recordings.models import Recording, State, TailSegment
from archive.store.base import HOUR

OPEN: Final = 400
"""Recordings of one box that are not sealed: those that it closed may lack a tail that never comes."""
TAIL: Final = 60_000
"""Segments of one box that closing records list as unverified tail and that have not come: as many as four recordings
of four hours have, whose ledgers were lost."""
AN_HOUR: Final = 120
"""Recordings of one box that begin to arrive within an hour."""
BYTES_A_DAY: Final = 14 * 24 * HOUR
"""Bytes of the recordings of one box of which something came within a day: two weeks of audio without a pause, more
than its spool holds."""
LOOK_BYTES: Final = 64 << 20
"""While a recording arrives, it is looked at each time that so many bytes more are here: once in ten minutes."""


class QuotaError(PlainSightError):
    """One box has handed in too much; it tries again later."""

    code: ClassVar[str] = "quota"
    status: ClassVar[int] = 429
    headers: ClassVar[dict[str, str]] = {"Retry-After": "300"}
    """What the answer carries: nothing changes within seconds."""


def check_new_recording(box: str, now: datetime) -> None:
    """Raise QuotaError if `box` cannot begin another recording at the moment `now`."""
    of_box = Recording.objects.filter(box_id=box)
    if of_box.filter(state__in=(State.RECEIVING, State.CLOSED))[:OPEN].count() >= OPEN:
        raise QuotaError(f"{OPEN} recordings of this box are not sealed; the archive takes more when some of them are")
    if of_box.filter(arrived_at__gt=now - timedelta(hours=1))[:AN_HOUR].count() >= AN_HOUR:
        raise QuotaError(f"this box began {AN_HOUR} recordings within an hour; the archive takes more later")
    _check_bytes(box, 0, now)


def check_more(recording: Recording, before: int, now: datetime) -> None:
    """Raise QuotaError if a recording that had `before` bytes, and is about to have more, is too much for a day."""
    after = recording.taken_bytes
    if after // LOOK_BYTES != before // LOOK_BYTES:
        _check_bytes(recording.box_id, after - before, now)


def check_tail(box: str, more: int) -> None:
    """Raise QuotaError if `more` segments are listed as unverified tail while too many others have not come."""
    if not more:
        return
    missing = TailSegment.objects.filter(recording__box_id=box, arrived_at=None)[:TAIL].count()
    if missing + more > TAIL:
        raise QuotaError(f"{missing} segments of unverified tails have not come from this box; it sends them first")


def _check_bytes(box: str, more: int, now: datetime) -> None:
    today = Recording.objects.filter(box_id=box, last_arrival_at__gt=now - timedelta(days=1))
    taken = today.aggregate(taken=Sum("taken_bytes"))["taken"] or 0
    if taken + more > BYTES_A_DAY:
        raise QuotaError("this box handed in more within a day than it can keep; the archive takes more later")
