"""place: say in which room a box stands from now on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.errors import NotEnrolledError
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.devices.models import Box
from archive.rooms.placement import place


class Command(ArchiveCommand):
    """Move a box to a room."""

    help = (
        "Say in which room a box stands from now on. What it recorded before keeps the room where it was made. The "
        "room's name is kept in this database only."
    )
    example = 'plainsight-archive place box-7f3a92c1 "Room 12"'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add box and room."""
        parser.add_argument("box", help="the box's identifier")
        parser.add_argument("room", help="the room's name; it is made if it is new")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Place it."""
        box = Box.objects.filter(pk=options["box"]).first()
        if box is None:
            raise NotEnrolledError(f"the archive does not know {options['box']}")
        placement = place(box, options["room"], by=Actor.operator())
        members = {"box": box.pk, "room": placement.room.name, "since": placement.since.isoformat()}
        self.show(options, members, f"{box.pk} stands in {placement.room.name} since {placement.since.isoformat()}")
