"""What waits to be brought, filed, or confirmed, as Today lists it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from archive.access.deeds import Deed
from archive.records.meetings.tray import to_file, waiting
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.models import State as OutsideState
from archive.records.outside_recordings.reach import outside_in
from archive.records.outside_recordings.rules import due_of
from archive.ui import words
from archive.ui.tasks import Task

from .day import MOST, Day

BROUGHT: Final[list[Callable[[Day], list[Task]]]] = []
"""What apps above list among what was brought."""


def tray(day: Day) -> list[Task]:
    """Return what waits in the tray."""
    tasks, user, reach = [], day.user, day.reaches[Deed.FILE]
    count = to_file(reach)[: MOST + 1].count()
    if count:
        more = f"more than {MOST}" if count > MOST else str(count)
        tasks.append(Task(f"File recordings: {more}", reverse("pages:tray"), sign="attention", state="waits"))
    mine = waiting(reach).exclude(filed_by=user).exclude(end_asked_by=user).count()
    if mine:
        tasks.append(Task(f"Confirm, as a second person: {mine}", reverse("pages:tray")))
    return tasks + brought(day) + [task for listed in BROUGHT for task in listed(day)]


def brought(day: Day) -> list[Task]:
    """Return recordings that no box made and of which a file, a meeting or a second person is missing."""
    reach = OutsideRecording.objects.filter(outside_in(day.reaches[Deed.FILE])).defer("index", "statement")
    open_filing = OutsideFiling.objects.filter(outside=OuterRef("pk"), ended_at=None)
    rows = reach.filter(
        ~Q(problem="")
        | Q(state=OutsideState.ARRIVING)
        | Q(state=OutsideState.SEALED, destroyed_at=None) & ~Exists(open_filing.filter(confirmed_at__isnull=False))
    )
    said = {OutsideState.ARRIVED: "It cannot be sealed.", OutsideState.SEALED: "It waits to be filed by two people."}
    return [
        to_bring(called(row), reverse("pages:outside", args=[row.pk]), row.begun_at, day)
        if row.state == OutsideState.ARRIVING
        else Task(called(row), reverse("pages:outside", args=[row.pk]), detail=said[OutsideState(row.state)])
        for row in rows[:MOST]
    ]


def to_bring(title: str, address: str, begun_at: datetime, day: Day) -> Task:
    """Return what is to be done about a file of which not all has arrived: no clock gives it up."""
    due = due_of(timezone.localdate(begun_at), day.now.date())
    return Task(
        title,
        address,
        due=f"{'was due' if due.late else 'due'} {words.day(due.on)}",
        detail="Not all of the file has arrived. Bring the rest, or give it up: that removes what was said about it.",
        sign="attention" if due.late else None,
        state="late" if due.late else "",
    )
