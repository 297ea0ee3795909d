"""make_waveform: measure a recording's levels again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.recordings.find import find
from archive.recordings.waveform import draw


class Command(ArchiveCommand):
    """Make the waveform of a sealed recording now."""

    help = (
        "Measure a sealed recording and keep the waveform that its page shows, encrypted to the recording's own key. "
        "The worker makes each one by itself, and again where it is lost; this is for not waiting."
    )
    example = "plainsight-archive make-waveform 0f3c9a52e4b14f1f8a0e6f7f5d2b9c31"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the recording."""
        parser.add_argument("recording", help="the recording's identifier")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make it."""
        row = find(options["recording"])
        kept = draw(row)
        size = len(bytes(kept.encrypted))
        self.show(options, {"recording": row.pk, "bytes": size}, f"made the waveform of {row.pk}: {size} bytes")
