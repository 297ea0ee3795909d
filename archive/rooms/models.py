"""Rooms, and which box stood where and when. A room's name lives here and nowhere else (promise 7)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from archive.devices.models import Box


class Room(models.Model):
    """A room that people know by name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses and in the custody log."""
    name = models.CharField(max_length=120, unique=True)
    """As it stands on the door."""

    class Meta:
        """By name; a room without one could not be told from none."""

        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(name=""), name="room_has_a_name")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class PlacementQuerySet(models.QuerySet["Placement"]):
    """Placements by time."""

    def at(self, moment: datetime) -> PlacementQuerySet:
        """Return the placements that held at `moment`."""
        return self.filter(Q(until=None) | Q(until__gt=moment), since__lte=moment)


class Placement(models.Model):
    """A box stood in a room from one moment to another. It is ended, never changed: what was recorded there was."""

    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="placements")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="placements")
    since = models.DateTimeField(default=timezone.now)
    """First moment."""
    until = models.DateTimeField(null=True, blank=True)
    """First moment at which it no longer stood there; None while it does."""

    objects: ClassVar = PlacementQuerySet.as_manager()

    class Meta:
        """Oldest first; a box stands in one place."""

        ordering: ClassVar = ["since", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["box"], condition=Q(until=None), name="box_stands_in_one_room"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="placement_ends_later"),
        ]

    def __str__(self) -> str:
        """Return one line for logs and shells."""
        return f"{self.box_id} in {self.room_id} from {self.since} until {self.until}"
