"""What the rooms' boxes say now, and what is booked today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from archive.records.meetings.describe import times, where
from archive.records.meetings.models import Meeting
from archive.records.meetings.rules import LONGEST
from archive.rooms.cards import Card
from archive.ui import words

from .readiness import READY, Readiness, RoomState, readiness


@dataclass(frozen=True)
class RoomOfMeeting:
    """A meeting of today, and what is known of the box in its room."""

    meeting: Meeting
    times: str
    """From when to when."""
    where: str
    """The room or the place."""
    boxes: tuple[RoomState, ...]
    """What the boxes say that stand there; empty where none does."""
    over: bool
    """Whether it has ended by the plan."""

    @property
    def ready(self) -> bool:
        """Whether a press in that room would record."""
        return any(box.sign in READY for box in self.boxes)

    @property
    def to_do(self) -> str:
        """What whoever leads the meeting can do; empty where nothing is to be done."""
        if self.over:
            return ""
        if not self.boxes:
            return f"No box records there. Meet in a room that has one, or tell {_contact()} to bring a spare recorder."
        said = " ".join(box.remedy for box in self.boxes if box.remedy)
        return said or ("" if self.ready else f"Tell {_contact()} before the meeting begins.")


def room_state(card: Card) -> RoomState:
    """Return what the report says of a box."""
    remedy = " ".join(trouble.remedy for trouble in card.troubles)
    return RoomState(card.name, card.sign, card.words.get("state", ""), remedy)


def rooms_of(meetings: Iterable[Meeting], cards: Iterable[Card], now: datetime) -> list[RoomOfMeeting]:
    """Return the state of the room of each of these meetings, as `cards` have the boxes at the moment `now`."""
    standing: dict[str, list[RoomState]] = {}
    for card in cards:
        if card.room is not None:
            standing.setdefault(card.room, []).append(room_state(card))
    return [
        RoomOfMeeting(row, times(row), where(row), tuple(standing.get(str(row.room_id), ())), row.ends_at <= now)
        for row in meetings
    ]


def readiness_now(now: datetime, cards: Iterable[Card]) -> list[Readiness]:
    """Return the report's lines at the moment `now`, whose zone is that of the words; `cards` have the boxes now."""
    rooms = [room_state(card) for card in cards]
    _, midnight = day_of(now)
    booked: dict[str, datetime] = {}
    # without a first moment, all meetings of the past would be looked through for one that still goes on
    near = Meeting.objects.filter(starts_at__gt=now - LONGEST, starts_at__lt=midnight)
    today = near.filter(cancelled_at=None, ends_at__gt=now, room__isnull=False)
    for name, starts_at in today.order_by("-starts_at").values_list("room__name", "starts_at"):
        booked[name] = timezone.localtime(starts_at)
    return readiness(rooms, booked)


def _contact() -> str:
    return words.contact(settings.ARCHIVE.site.contact)


def day_of(now: datetime) -> tuple[datetime, datetime]:
    """Return the midnights between which the day of `now` lies; it has 23 or 25 hours when the clocks change."""
    first = timezone.make_aware(datetime.combine(now.date(), time()))
    return first, timezone.make_aware(datetime.combine(now.date() + timedelta(days=1), time()))
