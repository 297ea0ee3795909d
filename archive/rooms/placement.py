"""Putting boxes into rooms, and telling where a box stood."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from appliance.contract.errors import SettingsError
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.log import record
from archive.devices.models import Box

from .custody_kinds import PLACE
from .models import Placement, Room


def place(box: Box, name: str, *, by: Actor) -> Placement:
    """Let `box` stand in the room called `name` from now on; make the room if it is new.

    Recordings keep the room where they were made. Raises SettingsError for a name that is none.
    """
    with one_deed():
        room = room_called(name)
        present = Placement.objects.select_for_update().filter(box=box, until=None).first()
        if present is not None and present.room_id == room.pk:
            return present
        now = timezone.now()
        record(PLACE, actor=by, subject=Subject.box(box.pk), room=str(room.pk))
        if present is not None:
            present.until = now
            present.save(update_fields=["until"])
        return Placement.objects.create(box=box, room=room, since=now)


def room_called(name: str) -> Room:
    """Return the room of that name, made if it is new; raise SettingsError for a name that is none."""
    name = " ".join(name.split())
    known = Room.objects.filter(name=name).first()
    if known is not None:
        return known
    room = Room(name=name)
    try:
        room.full_clean()
    except ValidationError as error:
        raise SettingsError(f"{name[:40]!r} is no name of a room: {' '.join(error.messages)}", field="room") from error
    room.save()
    return room


def room_at(box: str, *moments: datetime) -> Room | None:
    """Return the room where `box` stood at the first of `moments` for which that is known."""
    for moment in moments:
        placement = Placement.objects.filter(box=box).at(moment).select_related("room").first()
        if placement is not None:
            return placement.room
    return None


def rooms_now(boxes: Iterable[Box]) -> dict[str, Room]:
    """Return where each of `boxes` stands now."""
    placements = Placement.objects.filter(box__in=list(boxes), until=None).select_related("room")
    return {placement.box_id: placement.room for placement in placements}
