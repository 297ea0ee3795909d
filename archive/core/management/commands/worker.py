"""worker: everything that the archive does by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand
from archive.core.jobs import JOBS, Worker, require_all


class Command(ArchiveCommand):
    """Run the periodic jobs until told to stop."""

    help = (
        "Seal what boxes have closed, within a second or two, clear what crashes left behind, and compare store, keys "
        "and database. Runs until SIGTERM or Ctrl-C. It may be killed at any time, and several may run at once."
    )
    example = "plainsight-archive worker"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="do each job once, and end")

    def work(self, options: dict[str, Any]) -> None:
        """Work."""
        require_all()
        worker = Worker(JOBS)
        if options["once"]:
            worker.once()
            return
        with worker.stop.listening():
            worker.run()
