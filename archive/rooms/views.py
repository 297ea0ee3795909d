"""The rooms, live: a page that works without scripts, and the JSON that keeps it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.devices.models import Box, Listening
from archive.devices.reported_status import report
from archive.devices.state import judge

from .cards import Card, card, warning
from .placement import rooms_now
from .uploads import Uploads, uploads


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
    boxes = list(Box.objects.filter(retired_at=None).select_related("status"))
    rooms = rooms_now(boxes)
    judged = [(box, judge(report(getattr(box, "status", None)), now)) for box in boxes]
    running = {judgment.status.recording for _, judgment in judged if judgment.status and judgment.status.recording}
    here = uploads(running)
    zone = timezone.get_current_timezone()
    cards = [
        card(box.pk, rooms[box.pk].name if box.pk in rooms else None, judgment, here.get(box.pk, Uploads()), zone)
        for box, judgment in judged
    ]
    return sorted(cards, key=lambda one: (one.name, one.box))
