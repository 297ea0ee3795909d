"""seal: seal one recording by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.recordings.describe import describe
from archive.sealing.seal import seal


class Command(ArchiveCommand):
    """Seal one recording now."""

    help = (
        "Seal one recording now. With --incomplete also one whose box is lost: what arrived is sealed, as 'incomplete' "
        "if the box never closed it, without what is missing of an unverified tail, and nothing more is taken."
    )
    example = "plainsight-archive seal 0f3c9a52e4b14f1f8a0e6f7f5d2b9c31 --incomplete"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the recording."""
        parser.add_argument("recording", help="the recording's identifier")
        parser.add_argument("--incomplete", action="store_true", help="the box is lost; seal what arrived")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Seal it."""
        row = seal(options["recording"], incomplete=options["incomplete"], actor=Actor.operator())
        self.show(options, describe(row), f"sealed {row.id} ({row.outcome}): {row.seconds:.1f} s, {row.package}")
