"""list: what recordings there are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.recordings.describe import describe
from archive.recordings.models import Recording, State


class Command(ArchiveCommand):
    """List recordings, newest first."""

    help = "List the recordings, newest first: identifier, state, outcome, length, and what is wrong if anything is."
    example = "plainsight-archive list --state sealed --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add filters."""
        parser.add_argument("--state", choices=State.values, help="only those in this state")
        parser.add_argument("--box", help="only those of this box")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """List them."""
        rows = Recording.objects.order_by("-created_at")
        if options["state"]:
            rows = rows.filter(state=options["state"])
        if options["box"]:
            rows = rows.filter(box_id=options["box"])
        members = [describe(row) for row in rows]
        lines = [
            f"{one['recording']}  {one['state']:<9}  {one['outcome'] or '-':<11}  {one['seconds']:>9.1f} s  "
            f"{one['created_at']}  {one['problem'] or ''}".rstrip()
            for one in members
        ]
        self.show(options, members, "\n".join(lines) or "there are no recordings")
