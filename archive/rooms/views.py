"""The rooms, live: a page that works without scripts, and the JSON that keeps it true."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.devices.models import Box, Listening
from archive.devices.reported_status import report
from archive.devices.state import judge
from archive.recordings.models import Recording, State
from archive.ui import words

from .cards import Card, Uploads, card, deaf, summary, title, warning


@require_safe
def rooms(request: HttpRequest) -> HttpResponseBase:
    """Show every box that is not retired."""
    now = timezone.localtime()
    context = {"place": "rooms", **_board(now)}
    return render(request, "ui/rooms.html", context)


@require_safe
def rooms_json(_request: HttpRequest) -> HttpResponseBase:
    """Answer with the same as JSON, version 1."""
    board = _board(timezone.localtime())
    return JsonResponse({"version": 1, **board, "rooms": [one.as_json() for one in board["rooms"]]})


def _board(now: datetime) -> dict[str, Any]:
    """Return everything that page and JSON say at the moment `now`, whose zone is that of the words."""
    cards = sorted(_cards(now), key=lambda one: one.urgency)
    return {
        "at": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
        "at_words": f"{words.time_of_day(now)} {now.tzname()}",
        "warning": _warning(now),
        "summary": summary(cards),
        "title": title(cards),
        "rooms": cards,
    }


def _warning(now: datetime) -> str:
    listening = Listening.objects.first()
    alive_at, connected = (listening.alive_at, listening.connected) if listening else (None, False)
    return warning(alive_at, connected, now, words.contact(settings.ARCHIVE.site.contact))


def _cards(now: datetime) -> list[Card]:
    boxes = Box.objects.filter(retired_at=None).select_related("room", "status").order_by("room__name", "id")
    judged = [(box, judge(report(getattr(box, "status", None)), now)) for box in boxes]
    if _warning(now):
        judged = [(box, deaf(judgment)) for box, judgment in judged]
    running = {box.pk: judgment.status.recording for box, judgment in judged if judgment.status}
    uploads = _uploads({name for name in running.values() if name})
    return [
        card(
            *(box.pk, box.room.name if box.room else None, judgment, uploads.get(box.pk, Uploads()), now),
            room=box.room.pk if box.room else None,
        )
        for box, judgment in judged
    ]


def _uploads(running: set[str]) -> dict[str, Uploads]:
    """Return each box's uploads; `running` are the recordings being made now."""
    here = {row.box_id: row.seconds for row in Recording.objects.filter(pk__in=running).only("box", "frames", "rate")}
    counted = (
        Recording.objects.exclude(pk__in=running)
        .order_by()
        .values("box")
        .annotate(
            waiting=Count("pk", filter=Q(state=State.RECEIVING)),
            unsealed=Count("pk", filter=Q(state=State.CLOSED)),
        )
    )
    numbers = {row["box"]: row for row in counted}
    return {
        box: Uploads(
            here.get(box, 0.0),
            numbers[box]["waiting"] if box in numbers else 0,
            numbers[box]["unsealed"] if box in numbers else 0,
        )
        for box in {*here, *numbers}
    }
