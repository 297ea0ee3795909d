"""The list of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.devices.models import Box
from archive.recordings.models import Recording, State
from archive.rooms.models import Room
from archive.ui import words

PER_PAGE: Final = 50
_CHOICES: Final = [(state.value, words.STATES[state.value]) for state in State]


@dataclass(frozen=True)
class Row:
    """One recording in the list."""

    id: str
    """Its identifier."""
    created_at: datetime
    """When the button was pressed, by the box's clock."""
    room: str
    """Name of the room where the box stands now."""
    length: str
    """Length of the audio that is here, as m:ss."""
    state: str
    """The state's code."""
    state_words: str
    """The state in words."""
    outcome_words: str
    """The outcome in words; a dash until it is known."""
    simulated: bool
    """Whether button and lamp were not real."""


@require_safe
def recordings(request: HttpRequest) -> HttpResponseBase:
    """Show the recordings that fit the choice, newest first. A choice that makes no sense shows nothing."""
    chosen = {name: request.GET.get(name, "") for name in ("room", "box", "state")}
    page = Paginator(_chosen(chosen), PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({name: value for name, value in chosen.items() if value})
    context = {
        "place": "recordings",
        "page": page,
        "rows": [_row(recording) for recording in page.object_list],
        "chosen": chosen | {"room": int(chosen["room"]) if chosen["room"].isdecimal() else ""},
        "filter_query": f"{query}&" if query else "",
        "rooms": Room.objects.all(),
        "boxes": Box.objects.all(),
        "states": _CHOICES,
        "zone": settings.TIME_ZONE,
    }
    return render(request, "ui/recordings.html", context)


def _chosen(chosen: dict[str, str]) -> QuerySet[Recording]:
    found = Recording.objects.select_related("box__room").order_by("-created_at", "-id").defer("header", "receipt")
    if chosen["room"]:
        is_number = chosen["room"].isdecimal() and len(chosen["room"]) < 18
        found = found.filter(box__room=int(chosen["room"])) if is_number else found.none()
    if chosen["box"]:
        found = found.filter(box=chosen["box"])
    if chosen["state"]:
        found = found.filter(state=chosen["state"])
    return found


def _row(recording: Recording) -> Row:
    return Row(
        id=recording.pk,
        created_at=recording.created_at,
        room=recording.box.room.name if recording.box.room else recording.box_id,
        length=words.clock_time(recording.seconds),
        state=recording.state,
        state_words=words.STATES[recording.state] + (": " + recording.problem if recording.problem else ""),
        outcome_words=words.OUTCOMES.get(recording.outcome, "not known yet"),
        simulated=recording.panel == "simulated",
    )
