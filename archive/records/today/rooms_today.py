"""What the rooms' boxes say now, and what is booked today."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from archive.records.meetings.models import Meeting
from archive.rooms.views import cards_now

from .readiness import Readiness, RoomState, readiness


def readiness_now(now: datetime) -> list[Readiness]:
    """Return the report's lines at the moment `now`, whose zone is that of the words."""
    rooms = [
        RoomState(
            room=card.name,
            sign=card.sign,
            said=card.words.get("state", ""),
            remedy=" ".join(trouble.remedy for trouble in card.troubles),
        )
        for card in cards_now(now)
    ]
    midnight = timezone.make_aware(datetime.combine(now.date() + timedelta(days=1), time()))
    booked: dict[str, datetime] = {}
    today = Meeting.objects.filter(cancelled_at=None, ends_at__gt=now, starts_at__lt=midnight, room__isnull=False)
    for name, starts_at in today.order_by("-starts_at").values_list("room__name", "starts_at"):
        booked[name] = timezone.localtime(starts_at)
    return readiness(rooms, booked)
