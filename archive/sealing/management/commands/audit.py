"""audit: compare store, keys and database."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.sealing.audit import MENDED, audit, repair


class Command(ArchiveCommand):
    """Compare what the archive has with what it knows."""

    help = (
        "Compare store, keys and database, and print what does not fit: after a restore, after a disk failed, or just "
        "to know. Looks at names and sizes; 'verify' looks inside one package. Exit status 1 if something is left."
    )
    example = "plainsight-archive audit --repair"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --repair."""
        parser.add_argument(
            "--repair", action="store_true", help="make rows again from verified packages, each with a custody entry"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Compare."""
        left, members, lines = 0, [], []
        for finding in list(audit()):
            reason = repair(finding, Actor.operator()) if options["repair"] else finding.message
            left += bool(reason)
            members.append(finding.as_json() | {"message": reason, "repaired": not reason})
            lines.append(f"{finding.recording}  {finding.code:<15}  {reason or MENDED[finding.code]}")
        self.show(options, members, "\n".join(lines) or "store, keys and database fit each other")
        if left:
            sys.exit(1)
