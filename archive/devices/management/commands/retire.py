"""retire: no longer believe a box."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.devices.enrollment import retire, revoke_key


class Command(ArchiveCommand):
    """Retire a box that was lost, stolen or replaced."""

    help = (
        "Take nothing new from a box: it was lost, stolen or replaced. What it sent stays, and stays verifiable. "
        "Its board can become another box with a new claim ('enroll')."
    )
    example = "plainsight-archive retire box-7f3a92c1"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the box."""
        parser.add_argument("box", help="the box's identifier")
        parser.add_argument("--key", metavar="ed25519:...", help="only revoke this key of it")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Retire it."""
        if options["key"]:
            key = revoke_key(options["box"], options["key"], by=Actor.operator())
            members = {"box": key.box_id, "key": key.public_key, "revoked_at": str(key.revoked_at)}
            self.show(options, members, f"the key {key.public_key} of {key.box_id} is revoked since {key.revoked_at}")
            return
        box = retire(options["box"], by=Actor.operator())
        at = box.retired_at.isoformat() if box.retired_at else None
        self.show(options, {"box": box.id, "retired_at": at}, f"{box.id} is retired since {at}")
