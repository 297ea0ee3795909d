"""The list of recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.access.decisions import reaches_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import Reach, recordings_in
from archive.recordings.forms import RecordingFilter
from archive.recordings.heading import room_name
from archive.recordings.listing import page
from archive.recordings.models import Recording
from archive.recordings.recording_state import recording_state, with_state
from archive.recordings.state_words import STATE_WORDS, StateWords, marks
from archive.ui import words

PAGES: Final = {Deed.CUSTODY: "pages:custody", Deed.LOOK: "pages:recording"}
"""The page that each deed opens; the last one is the better one."""


@dataclass(frozen=True)
class Row:
    """One recording in the list."""

    id: str
    """Its identifier."""
    at: datetime
    """When the button was pressed, or where that is not known, when it began to arrive."""
    dated: bool
    """Whether `at` is the first of these."""
    room: str
    """Name of the room where it was made, or the box's identifier if that is not known."""
    length: str
    """Length of the audio that is here, as m:ss."""
    state: StateWords
    """Its state, as sign and words."""
    marks: list[str]
    """What is not normal about it."""
    simulated: bool
    """Whether button and lamp were not real."""
    address: str
    """The page of it that this reader may open; empty where there is none."""


@require_safe
def recordings(request: HttpRequest) -> HttpResponseBase:
    """Show the recordings that fit the choice, newest first. A choice that makes no sense shows nothing."""
    form = RecordingFilter({name: request.GET.get(name, "") for name in RecordingFilter.base_fields}, auto_id="%s")
    reach = reaches_of(user_of(request), Deed.LIST, *PAGES)
    chosen = form.apply(with_state(Recording.objects.filter(recordings_in(reach[Deed.LIST])).select_related("room")))
    shown = page(chosen, request.GET.get("before", ""), request.GET.get("after", ""))
    addresses = _addresses(reach, shown.rows)
    query = urlencode({name: value for name, value in form.data.items() if value})
    context = {
        "place": "recordings",
        "listing": shown,
        "rows": [_row(recording, addresses.get(recording.pk, "")) for recording in shown.rows],
        "form": form,
        "filter_query": query,
        "newer": f"?{query and f'{query}&'}after={shown.newer}" if shown.newer else "",
        "older": f"?{query and f'{query}&'}before={shown.older}" if shown.older else "",
    }
    return render(request, "ui/recordings.html", context)


def _addresses(reach: Mapping[Deed, Reach], rows: Sequence[Recording]) -> dict[str, str]:
    """Return the page of each recording that the reader may open, so that no row leads to a refusal."""
    found: dict[str, str] = {}
    for deed, page_name in PAGES.items():
        opened = Recording.objects.filter(recordings_in(reach[deed]), pk__in=[row.pk for row in rows])
        found |= {pk: reverse(page_name, args=[pk]) for pk in opened.values_list("pk", flat=True)}
    return found


def _row(recording: Recording, address: str) -> Row:
    return Row(
        id=recording.pk,
        at=recording.listed_at,
        dated=recording.dated,
        room=room_name(recording),
        length=words.clock_time(recording.seconds),
        state=STATE_WORDS[recording_state(recording)],
        marks=marks(recording),
        simulated=recording.panel == "simulated",
        address=address,
    )
