"""The rooms, live: a page that works without scripts, and the JSON that keeps it true."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.requests import user_of
from archive.accounts.models import User
from archive.accounts.sessions import at_wall, begin_wall
from archive.devices.listener import Standing, standing
from archive.devices.models import Box
from archive.devices.reported_status import health, report
from archive.devices.state import state_of_box
from archive.ui import words

from .cards import Card, card, deaf, summary, title, warning
from .placement import rooms_now
from .uploads import Uploads, pages_for, uploads


@require_safe
def rooms(request: HttpRequest) -> HttpResponseBase:
    """Show every box that is not retired."""
    now = timezone.localtime()
    context = {"place": "rooms", **_board(now, user_of(request))}
    return render(request, "ui/rooms.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def wall(request: HttpRequest) -> HttpResponseBase:
    """Show the same for a screen on a wall: large, and without what only a reader nearby could use.

    Its button leaves the sign-in on that screen: nothing else opens there then, and nobody has to touch it.
    """
    if request.method == "POST":
        begin_wall(request.session)
        return redirect("pages:wall")
    board = _board(timezone.localtime(), user_of(request))
    return render(request, "ui/wall.html", {"place": "rooms", "stays": at_wall(request.session), **board})


@require_safe
def rooms_json(request: HttpRequest) -> HttpResponseBase:
    """Answer with the same as JSON, version 1."""
    board = _board(timezone.localtime(), user_of(request))
    return JsonResponse({"version": 1, **board, "rooms": [one.as_json() for one in board["rooms"]]})


def _board(now: datetime, user: User) -> dict[str, Any]:
    """Return everything that page and JSON say to `user` at the moment `now`, whose zone is that of the words."""
    cards = sorted(_with_addresses(cards_now(now.tzinfo), user), key=lambda one: one.urgency)
    return {
        "at": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
        "at_words": words.time_and_zone(now),
        "warning": _warning(standing()),
        "summary": summary(cards),
        "title": title(cards),
        "rooms": cards,
    }


def _with_addresses(cards: list[Card], user: User) -> list[Card]:
    """Return the cards, each with the page of its running recording if `user` may open that one."""
    pages = pages_for(user, {one.recording for one in cards if one.recording and one.archived_s})
    return [replace(one, address=pages.get(one.recording or "", "")) for one in cards]


def _warning(listener: Standing) -> str:
    contact = words.contact(settings.ARCHIVE.site.contact)
    brokers = len(settings.ARCHIVE.mqtt.brokers)
    return warning(listens=listener.listens, lost=len(listener.lost), brokers=brokers, contact=contact)


def cards_now(zone: tzinfo | None) -> list[Card]:
    """Return the card of each box that is not retired, in words of `zone`, by the database's clock."""
    listener = standing()
    now = listener.now.astimezone(zone)
    boxes = list(Box.objects.filter(retired_at=None).select_related("status"))
    rooms = rooms_now(boxes)
    found = [(box, state_of_box(report(getattr(box, "status", None)), now)) for box in boxes]
    found = [(box, box_state if listener.hears(box) else deaf(box_state)) for box, box_state in found]
    running = {box_state.status.recording for _, box_state in found if box_state.status and box_state.status.recording}
    here = uploads(running)
    return [
        card(
            *(box.pk, rooms[box.pk].name if box.pk in rooms else None, box_state, here.get(box.pk, Uploads()), now),
            room=str(rooms[box.pk].pk) if box.pk in rooms else None,
            health=health(getattr(box, "status", None)),
        )
        for box, box_state in found
    ]
