"""sealer: seal what boxes have closed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand
from archive.keystore.current import keystore
from archive.sealing.sealer import Sealer


class Command(ArchiveCommand):
    """Run the sealer until it is told to stop."""

    help = (
        "Seal every recording that its box has closed, and sign its receipt, within a second or two. Runs until "
        "SIGTERM or Ctrl-C. It may be killed at any time; the next run completes what was begun."
    )
    example = "plainsight-archive sealer"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="seal what is ready now, and end")

    def work(self, options: dict[str, Any]) -> None:
        """Seal."""
        keystore()
        sealer = Sealer()
        if options["once"]:
            self.stdout.write(f"{sealer.once()} sealed")
            return
        with sealer.stop.listening():
            sealer.run()
