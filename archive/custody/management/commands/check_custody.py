"""check-custody: check the custody log's chain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.check import check, contradictions
from archive.custody.heads import lines_of
from archive.custody.models import Head


class Command(ArchiveCommand):
    """Check the chain and print its head, of which a copy should be kept elsewhere."""

    help = (
        "Check the custody log: its hash chain, the archive's signature over its end, every signed head that was "
        "published, and whether users, boxes and recordings are what the entries say. With --against also signed heads "
        "that were kept elsewhere: a database that was put back to an older state holds against all but those. Exit "
        "status 1 if anything does not hold."
    )
    example = "plainsight-archive check-custody --against /media/stick/custody-heads.tsv --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what is held against it."""
        parser.add_argument(
            "--against", type=Path, action="append", default=[], metavar="FILE", help="signed heads kept elsewhere"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check."""
        broken = check([kept for path in options["against"] for kept in lines_of(path)])
        head = Head.objects.filter(pk=1).first() or Head(n=0, digest="")
        contrary = contradictions() if broken is None else []
        members = {
            "entries": head.n,
            "head": head.digest,
            "intact": broken is None and not contrary,
            "problem": None if broken is None else f"entry {broken.n}: {broken.problem}",
            "contradictions": contrary,
        }
        text = f"the custody log is intact: {head.n} entries, head {head.digest}"
        if broken is not None:
            text = f"the custody log is broken at entry {broken.n}: {broken.problem}"
        elif contrary:
            text = "\n".join(["the custody log is intact, and other tables contradict it:", *contrary])
        self.show(options, members, text)
        if not members["intact"]:
            sys.exit(1)
