"""verify: check a sealed recording again."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.errors import NotSealedError
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import State
from archive.recordings.verification import verify_again


class Command(ArchiveCommand):
    """Check a package in the store, with the keys that this archive vouches for."""

    help = (
        "Check a sealed recording in the store: package, signatures, ledger, arrival log, and the audio itself where "
        "its key is there. Makes a custody entry. Exit status as 'plainsight verify' has it (0 intact, 1 tampered, 4 "
        "interrupted, 5 incomplete); that command is the one for people who do not trust this archive."
    )
    example = "plainsight-archive verify 0f3c9a52e4b14f1f8a0e6f7f5d2b9c31 --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the recording."""
        parser.add_argument("recording", help="the recording's identifier")
        parser.add_argument("--no-audio", action="store_true", help="do not open the audio: faster")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check."""
        row = find(options["recording"])
        check_not_destroyed(row)
        if row.state != State.SEALED:
            raise NotSealedError(f"{row.id} is {row.state}, not sealed; there is nothing to verify yet")
        report = verify_again(row, Actor.operator(), audio=not options["no_audio"])
        self.show(options, report.as_json(), report.as_text())
        if report.status:
            sys.exit(report.status)
