"""withdraw-claim: let a claim be taken no longer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor
from archive.enrollment.deeds import withdraw_claim


class Command(ArchiveCommand):
    """Withdraw a claim that no box has used."""

    help = "Let a claim be taken no longer, by the number that 'enroll' told. One that a box used stays used."
    example = "plainsight-archive withdraw-claim 12"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the number."""
        parser.add_argument("number", type=int, help="the claim's number")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Withdraw it."""
        row = withdraw_claim(options["number"], by=Actor.operator(), now=timezone.now())
        self.show(options, {"claim": row.pk}, f"claim {row.pk} is withdrawn")
