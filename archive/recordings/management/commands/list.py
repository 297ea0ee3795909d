"""list: what recordings there are."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandParser

from archive.core.base_command import ArchiveCommand, add_json
from archive.recordings.describe import describe
from archive.recordings.models import Recording, State
from archive.recordings.recording_state import with_state


class Command(ArchiveCommand):
    """List recordings, newest first."""

    help = "List the recordings, newest first: identifier, state, what is not normal, length, date, and what is wrong."
    example = "plainsight-archive list --state sealed --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add filters."""
        parser.add_argument("--state", choices=State.values, help="only those in this state")
        parser.add_argument("--box", help="only those of this box")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """List them."""
        rows = with_state(Recording.objects.defer("header", "receipt")).order_by("-listed_at", "-pk")
        if options["state"]:
            rows = rows.filter(state=options["state"])
        if options["box"]:
            rows = rows.filter(box_id=options["box"])
        described = (describe(row) for row in rows.iterator(chunk_size=1000))
        lines = _as_json(described) if options["json"] else (_line(one) for one in described)
        first = next(lines, "there are no recordings")
        for line in itertools.chain([first], lines):
            self.stdout.write(line)


def _as_json(described: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one JSON list in lines, so that 100,000 recordings are never in memory at once."""
    before = "["
    for one in described:
        yield f"{before}{json.dumps(one)}"
        before = ","
    yield "]" if before == "," else "[]"


def _line(one: dict[str, Any]) -> str:
    date = one["listed_at"] if one["dated"] else f"{one['listed_at']} (arrival; the box's clock was wrong)"
    return (
        f"{one['recording']}  {one['standing']:<13}  {','.join(one['marks']) or '-'}  {one['seconds']:>9.1f} s  "
        f"{date}  {one['problem'] or ''}".rstrip()
    )
