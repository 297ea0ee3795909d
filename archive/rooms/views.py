"""The rooms, live: a page that works without scripts, and the JSON that keeps it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.devices.models import Box, Listening
from archive.devices.reported_status import report
from archive.devices.state import judge
from archive.recordings.models import Recording, State

from .cards import Card, Uploads, card, warning


@require_safe
def rooms(request: HttpRequest) -> HttpResponseBase:
    """Show every box that is not retired."""
    now = timezone.now()
    context = {"place": "rooms", "rooms": _cards(now), **_about(now)}
    return render(request, "ui/rooms.html", context)


@require_safe
def rooms_json(_request: HttpRequest) -> HttpResponseBase:
    """Answer with the same as JSON, version 1."""
    now = timezone.now()
    return JsonResponse({"version": 1, **_about(now), "rooms": [one.as_json() for one in _cards(now)]})


def _about(now: datetime) -> dict[str, Any]:
    listening = Listening.objects.first()
    alive_at, connected = (listening.alive_at, listening.connected) if listening else (None, False)
    return {
        "at": f"{now:%Y-%m-%dT%H:%M:%S}Z",
        "at_words": f"{timezone.localtime(now):%H:%M:%S}",
        "warning": warning(alive_at, connected, now),
    }


def _cards(now: datetime) -> list[Card]:
    boxes = Box.objects.filter(retired_at=None).select_related("room", "status").order_by("room__name", "id")
    judged = [(box, judge(report(getattr(box, "status", None)), now)) for box in boxes]
    running = {box.pk: judgment.status.recording for box, judgment in judged if judgment.status}
    uploads = _uploads({name for name in running.values() if name})
    zone = timezone.get_current_timezone()
    return [
        card(box.pk, box.room.name if box.room else None, judgment, uploads.get(box.pk, Uploads()), zone)
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
