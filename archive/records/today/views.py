"""The first page of staff: what is due today; and the readiness of the rooms."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.rooms.views import cards_now
from archive.ui import words

from .day import Day
from .rooms_today import readiness_now, rooms_of
from .tasks import lists_for, meetings_today


@require_safe
def today(request: HttpRequest) -> HttpResponseBase:
    """Show what is due."""
    now = timezone.localtime()
    lists = lists_for(user_of(request), now)
    context = {
        "place": "today",
        "day": words.day(now),
        "lists": [(heading, tasks) for heading, tasks, _ in lists if tasks],
        "quiet": [none for _, tasks, none in lists if not tasks],
        "nobody": UUID(int=0),
        "account": user_of(request).pk,
    }
    return render(request, "today/today.html", context)


@require_safe
def readiness(request: HttpRequest) -> HttpResponseBase:
    """Show every room, and whether its box would record now."""
    now = timezone.localtime()
    lines = readiness_now(now, cards_now(now.tzinfo))
    context = {"place": "readiness", "day": words.day(now), "at": words.time_of_day(now), "lines": lines}
    return render(request, "today/readiness.html", context)


@require_safe
def my_rooms(request: HttpRequest) -> HttpResponseBase:
    """Show whether the room of each meeting of today would record now, to whoever leads it; of no other room."""
    now = _now()
    day = Day.of(user_of(request), now)
    rooms = rooms_of(meetings_today(day, Deed.READY), day.cards, now)
    context = {"place": "my-rooms", "day": words.day(now), "at": words.time_of_day(now), "rooms": rooms}
    return render(request, "today/my_rooms.html", context)


def _now() -> datetime:
    return timezone.localtime()
