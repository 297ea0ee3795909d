"""write-broker-access: what the broker lets each box do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.devices.broker_access import FILE_NAME, write_access


class Command(ArchiveCommand):
    """Write the access list now; the worker does it every ten seconds."""

    help = "Write the broker's access list from the enrolled boxes. The worker does so by itself every ten seconds."
    example = "plainsight-archive write-broker-access /var/lib/plainsight-broker"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder."""
        parser.add_argument("folder", type=Path, help="folder that the broker reads")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Write it."""
        changed = write_access(options["folder"] / FILE_NAME)
        self.show(options, {"changed": changed}, "written" if changed else "nothing had changed")
