"""export-archive: the whole archive in open formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from appliance.contract.encryption import parse_recipient
from appliance.contract.errors import KeyFileError, SettingsError
from appliance.contract.standard_output import show_progress
from archive.backup.exporting import export_archive
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor


class Command(ArchiveCommand):
    """Export all of it."""

    help = (
        "Export the whole archive in open formats into a new folder, a BagIt bag: every table as lines of JSON, every "
        "package, the settings, and all keys in one file that only the recipient's identity opens (age). Stop web, "
        "worker and listen first. 'import-archive' takes it in on another host; to keep a copy of this one, use "
        "'backup', whose keys are forgotten in time."
    )
    example = "plainsight-archive export-archive --to /media/disk --recipient age1..."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add where to, and for whom."""
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the new folder is made")
        parser.add_argument(
            "--recipient", required=True, metavar="AGE1...", help="who opens the keys: 'age-keygen -o IDENTITY.txt'"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Export."""
        recipient = options["recipient"].strip()
        try:
            parse_recipient(recipient)
        except KeyFileError as error:
            raise SettingsError(error.message, field="--recipient") from error
        made = export_archive(
            options["to"].absolute(), recipient, timezone.now(), Actor.operator(), progress=show_progress
        )
        members = {"folder": str(made.folder), "recordings": made.recordings, "rows": made.rows, "bytes": made.size}
        text = (
            f"{made.folder}: {made.recordings} recordings, {made.rows} rows, {made.size / 1e6:.1f} MB.\n"
            "Whoever has this folder and that identity hears every recording: carry the two apart."
        )
        self.show(options, members, text)
