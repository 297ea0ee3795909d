"""What one box may hand in, so that one that is broken or stolen costs the others nothing.

The limits are far above what a room can record: a box that was away for two weeks gets rid of all it kept, only not
within a minute. A refusal has a code of its own; the box waits and tries again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db.models import Sum

from appliance.contract.errors import PlainSightError
from archive.recordings.models import Recording, State

OPEN: Final = 400
"""Recordings of one box that are not closed."""
AN_HOUR: Final = 120
"""Recordings of one box that begin to arrive within an hour."""
SECONDS_A_DAY: Final = 14 * 24 * 3600
"""Seconds of audio in the recordings of one box that began to arrive within a day: all that its spool can hold."""


class QuotaError(PlainSightError):
    """One box has handed in too much; it tries again later."""

    code: ClassVar[str] = "quota"
    status: ClassVar[int] = 429
    headers: ClassVar[dict[str, str]] = {"Retry-After": "300"}
    """What the answer carries: nothing changes within seconds."""


def check_new_recording(box: str, now: datetime) -> None:
    """Raise QuotaError if `box` cannot begin another recording at the moment `now`."""
    of_box = Recording.objects.filter(box_id=box)
    if of_box.filter(state=State.RECEIVING)[:OPEN].count() >= OPEN:
        raise QuotaError(f"{OPEN} recordings of this box are not closed; close or retire them at the archive")
    if of_box.filter(arrived_at__gt=now - timedelta(hours=1))[:AN_HOUR].count() >= AN_HOUR:
        raise QuotaError(f"this box began {AN_HOUR} recordings within an hour; the archive takes more later")
    today = of_box.filter(arrived_at__gt=now - timedelta(days=1)).values("rate").annotate(frames=Sum("frames"))
    if sum(row["frames"] / row["rate"] for row in today) > SECONDS_A_DAY:
        raise QuotaError("this box handed in more audio within a day than it can keep; the archive takes more later")
