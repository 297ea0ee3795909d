"""make-certificates: the district's authority, and the certificates of the archive's own host."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.authority.jobs import make_certificates
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """Make what is missing or ends soon; what is good is never touched."""

    help = (
        "Make the district's certificate authority and the certificates of web server, broker and listener, as far as "
        "they are missing, end within two months, or lack a name that [site] url, [boxes] url or [site] hosts has. The "
        "worker does the same every quarter of an hour. What is good is not touched."
    )
    needs_database = False
    example = "plainsight-archive make-certificates"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --json."""
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make them."""
        made = make_certificates()
        self.show(options, {"made": made}, f"made: {', '.join(made) or 'nothing, all are good'}")
