"""doctor: what is wrong with this archive, and what to do."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from archive.core.base_command import ArchiveCommand, add_json
from archive.doctor.examination import examine


class Command(ArchiveCommand):
    """Look at everything and say what is wrong."""

    help = (
        "Check settings, owners, database, keys, store, certificates, broker and what runs, and say what to do. Run it "
        "as the archive's user, or as root. It changes nothing. Exit status: 0 all is well or only worth a look, 1 "
        "something is wrong, 2 bad settings."
    )
    needs_database = False
    example = "plainsight-archive doctor --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what may be left out."""
        parser.add_argument("--quick", action="store_true", help="do not read the whole database")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Examine; the exit status is 1 if something is wrong."""
        found = list(examine(settings.ARCHIVE, settings.ARCHIVE_HOME, timezone.now(), deep=not options["quick"]))
        wrong = any(one.verdict == "wrong" for one in found)
        members = {"ok": not wrong, "checks": [one.as_json() for one in found]}
        self.show(options, members, "\n".join(one.as_text() for one in found))
        if wrong:
            sys.exit(1)
