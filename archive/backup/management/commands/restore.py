"""restore: take a backup back into an empty folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from archive.backup.restoring import Source, restore
from archive.backup.told import found_in_words
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """Restore, and verify every recording."""

    help = (
        "Restore a backup into $ARCHIVE_HOME, which must be empty: the keys from their newest generation, then the "
        "database and packages; check the custody log, and verify every recording. What was destroyed stays "
        "destroyed. Exit status 1 if something does not hold."
    )
    example = (
        "plainsight-archive restore --from /mnt/backup/plainsight "
        "--keys-from /mnt/keys --generation-keys-from /media/stick"
    )
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the three places."""
        parser.add_argument("--from", dest="folder", type=Path, required=True, metavar="FOLDER", help="the backups")
        parser.add_argument("--keys-from", type=Path, required=True, metavar="FOLDER", help="generations of the keys")
        parser.add_argument(
            "--generation-keys-from", type=Path, required=True, metavar="FOLDER", help="what opens the generations"
        )
        parser.add_argument("--name", help="the backup (default: the newest)")
        parser.add_argument("--generation", help="the generation of the keys (default: the newest that opens)")
        parser.add_argument("--no-audio", action="store_true", help="do not open the audio: faster")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Restore."""
        source = Source(
            options["folder"],
            options["keys_from"],
            options["generation_keys_from"],
            options["name"],
            options["generation"],
        )
        found = restore(source, audio=not options["no_audio"])
        brought = f"restored {found.name} (made {found.made_at}), generation {found.generation} of the keys"
        lines = [f"{brought}, in {found.seconds} s", *found_in_words(found)]
        self.show(options, found.as_json(), "\n".join(lines))
        if not found.holds:
            sys.exit(1)
