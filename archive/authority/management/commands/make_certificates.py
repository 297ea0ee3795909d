"""make-certificates: the district's authority, and the certificates of the archive's own host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from archive.authority.files import ensure
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """Make what is missing or ends soon; what is good is never touched."""

    help = (
        "Make the district's certificate authority and the certificates of web server, broker and listener, as far as "
        "they are missing or end within two months. What is good is not touched. Web server and broker take a new one "
        "at their next start."
    )
    needs_database = False
    example = "plainsight-archive make-certificates archive.district.example 10.20.0.5"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the host's names."""
        parser.add_argument("hosts", nargs="+", help="names and addresses by which boxes and browsers reach this host")
        parser.add_argument("--broker", type=Path, metavar="DIR", help="folder that the broker on this host reads")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make them."""
        made = ensure(settings.ARCHIVE_HOME / "keys", options["broker"], options["hosts"], timezone.now())
        self.show(options, {"made": made}, f"made: {', '.join(made) or 'nothing, all are good'}")
