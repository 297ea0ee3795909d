"""fixity: how the packages are, from their regular checks."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from archive.core.base_command import ArchiveCommand, add_json
from archive.recordings.fixity import report


class Command(ArchiveCommand):
    """Print the report of the regular checks."""

    help = (
        "Say how the sealed packages are: how many were checked within the period of [fixity], which are damaged. It "
        "reads what the worker found and checks nothing itself. Exit status 1 if something is damaged or overdue."
    )
    example = "plainsight-archive fixity --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --json."""
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Report."""
        found = report(timezone.now())
        lines = [
            f"{found.checked} of {found.packages} packages were checked within {found.every_days} days",
            *([f"{found.overdue} are overdue"] if found.overdue else []),
            *(f"damaged: {one}" for one in found.damaged),
        ]
        self.show(options, found.as_json(), "\n".join(lines))
        if found.damaged or found.overdue:
            sys.exit(1)
