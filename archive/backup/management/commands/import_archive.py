"""import-archive: take a whole archive in again, on another host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.encryption import Identity
from appliance.contract.standard_output import show_progress
from archive.backup.importing import import_archive
from archive.backup.told import found_in_words
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """Take in an export."""

    help = (
        "Take what 'export-archive' wrote into $ARCHIVE_HOME, which must be empty: check every file's digest and the "
        "archive's signature, take keys, rows and packages, check the custody log, and verify every recording. Exit "
        "status 1 if something does not hold."
    )
    example = "plainsight-archive import-archive /media/disk/archive-20261126T045500Z --identity /media/identity.txt"
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what, and what opens it."""
        parser.add_argument("folder", type=Path, help="the export")
        parser.add_argument("--identity", type=Path, required=True, metavar="FILE", help="the age identity")
        parser.add_argument("--no-audio", action="store_true", help="do not open the audio: faster")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Take in."""
        identity = Identity.load(options["identity"])
        found = import_archive(
            options["folder"].absolute(), identity, audio=not options["no_audio"], progress=show_progress
        )
        brought = f"took in {found.name} (made {found.made_at}), in {found.seconds} s"
        self.show(options, found.as_json(), "\n".join([brought, *found_in_words(found)]))
        if not found.holds:
            sys.exit(1)
