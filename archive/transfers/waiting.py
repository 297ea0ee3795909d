"""What somebody should do about evidence packages of which not all has arrived, as Today lists it."""

from __future__ import annotations

from django.urls import reverse

from archive.access.deeds import Deed
from archive.access.scopes import DISTRICT
from archive.records.today.day import MOST, Day
from archive.records.today.tray_tasks import to_bring
from archive.ui.tasks import Task

from .models import State, Upload


def to_bring_here(day: Day) -> list[Task]:
    """Return the packages that were announced and are not whole, the oldest first, for whoever takes them in."""
    if DISTRICT not in day.reaches[Deed.FILE].scopes:
        return []
    rows = Upload.objects.filter(state=State.ARRIVING).order_by("begun_at").only("district", "begun_at")
    return [
        to_bring(f"Recording from {row.district}", reverse("pages:transfer", args=[row.pk]), row.begun_at, day)
        for row in rows[:MOST]
    ]
