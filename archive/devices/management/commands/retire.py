"""retire: no longer believe a box."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.devices.enrollment import retire


class Command(ArchiveCommand):
    """Retire a box that was lost, stolen or replaced."""

    help = (
        "Take nothing new from a box: it was lost, stolen or replaced. What it sent stays, and stays verifiable. "
        "'enroll' with a new key brings it back."
    )
    example = "plainsight-archive retire box-7f3a92c1"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the box."""
        parser.add_argument("box", help="the box's identifier")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Retire it."""
        box = retire(options["box"])
        at = box.retired_at.isoformat() if box.retired_at else None
        self.show(options, {"box": box.id, "retired_at": at}, f"{box.id} is retired since {at}")
