"""check-custody: check the custody log's chain."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.log import check
from archive.custody.models import Head


class Command(ArchiveCommand):
    """Check the chain and print its head, of which a copy should be kept elsewhere."""

    help = (
        "Check the custody log's hash chain, and print how many entries it has and its last digest. Keep a copy of "
        "that elsewhere now and then: a log that was replaced as a whole no longer fits it. Exit status 1 if the chain "
        "is broken."
    )
    example = "plainsight-archive check-custody --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --json."""
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check."""
        broken = check()
        head = Head.objects.get(pk=1)
        members = {"entries": head.n, "head": head.digest, "intact": broken is None, "problem": None}
        text = f"the custody log is intact: {head.n} entries, head {head.digest}"
        if broken is not None:
            members["problem"] = text = f"the custody log is broken at entry {broken.n}: {broken.problem}"
        self.show(options, members, text)
        if broken is not None:
            sys.exit(1)
