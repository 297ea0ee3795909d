"""How much of each box's recordings is here, for the board of the rooms."""

from __future__ import annotations

from django.db.models import Count, Q
from django.urls import reverse

from archive.access.decisions import reached_recordings
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.rooms.uploads import Uploads

from .models import Recording, State


def pages_for(user: User, recordings: set[str]) -> dict[str, str]:
    """Return the page of each of `recordings` that is here and that `user` may open."""
    opened = Recording.objects.filter(reached_recordings(user, Deed.LOOK), pk__in=recordings)
    return {pk: reverse("pages:recording", args=[pk]) for pk in opened.values_list("pk", flat=True)}


def uploads_by_box(running: set[str]) -> dict[str, Uploads]:
    """Return each box's uploads; `running` are the recordings being made now."""
    here = {row.box_id: row.seconds for row in Recording.objects.filter(pk__in=running).only("box", "frames", "rate")}
    counted = (
        Recording.objects.exclude(pk__in=running)
        .filter(state__in=[State.RECEIVING, State.CLOSED])
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
