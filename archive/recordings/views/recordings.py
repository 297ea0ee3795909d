"""The list of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.recordings.forms import RecordingFilter
from archive.recordings.heading import believable, room_name
from archive.recordings.models import Recording
from archive.recordings.recording_state import recording_state
from archive.recordings.state_words import STATE_WORDS, StateWords, marks
from archive.ui import words

PER_PAGE: Final = 50


@dataclass(frozen=True)
class Row:
    """One recording in the list."""

    id: str
    """Its identifier."""
    created_at: datetime
    """When the button was pressed, by the box's clock."""
    room: str
    """Name of the room where it was made, or the box's identifier if that is not known."""
    length: str
    """Length of the audio that is here, as m:ss."""
    state: StateWords
    """Its state, as sign and words."""
    marks: list[str]
    """What is not normal about it."""
    date_known: bool
    """Whether `created_at` can be believed."""
    arrived_at: datetime
    """When it began to arrive."""
    simulated: bool
    """Whether button and lamp were not real."""


@require_safe
def recordings(request: HttpRequest) -> HttpResponseBase:
    """Show the recordings that fit the choice, newest first. A choice that makes no sense shows nothing."""
    form = RecordingFilter({name: request.GET.get(name, "") for name in RecordingFilter.base_fields}, auto_id="%s")
    rows = Recording.objects.select_related("room", "box").order_by("-created_at", "-id").defer("header", "receipt")
    page = Paginator(form.apply(rows), PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({name: value for name, value in form.data.items() if value})
    context = {
        "place": "recordings",
        "page": page,
        "rows": [_row(recording) for recording in page.object_list],
        "form": form,
        "filter_query": f"{query}&" if query else "",
    }
    return render(request, "ui/recordings.html", context)


def _row(recording: Recording) -> Row:
    return Row(
        id=recording.pk,
        created_at=recording.created_at,
        room=room_name(recording),
        length=words.clock_time(recording.seconds),
        state=STATE_WORDS[recording_state(recording)],
        marks=marks(recording),
        date_known=believable(recording.created_at, recording.arrived_at),
        arrived_at=recording.arrived_at,
        simulated=recording.panel == "simulated",
    )
