"""control-page: ask a co-operative's archives how they are, and write the page that shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.log_format import printable
from archive.control.districts import load
from archive.control.fetching import ask_all
from archive.control.judging import PROBLEMS, look
from archive.control.page import PAGE, read_look, summed, write
from archive.core.base_command import ArchiveCommand, add_json


class Command(ArchiveCommand):
    """Ask all archives of a file, and write one page."""

    help = (
        "Ask many archives for their counts, all at once, and write a page that shows first what needs attention "
        "(docs/control.md). It runs where no archive is, as any user. Exit status: 0 the page was written, whatever it "
        "says; 2 bad settings, or a folder that cannot be written to."
    )
    needs_database = False
    example = "plainsight-archive control-page --archives /etc/plainsight-control/archives.toml -o /var/www/control"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add which archives, and where the page goes."""
        parser.add_argument("--archives", type=Path, required=True, metavar="FILE", help="the archives (TOML)")
        parser.add_argument(
            "-o", type=Path, required=True, metavar="DIR", dest="folder", help="write page and control.json there"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Ask, judge and write; why an archive did not answer goes to the standard error."""
        page, folder = load(options["archives"]), options["folder"]
        before = read_look(folder)
        answers = ask_all(page.archives, page.answer_s)
        found = look(page.archives, answers, before, datetime.now(UTC))
        write(folder, found, page)
        for district, answer in zip(page.archives, answers, strict=True):
            if answer.problem is not None:
                detail = f" ({printable(answer.detail)})" if answer.detail else ""
                self.stderr.write(f"{district.name}: {PROBLEMS[answer.problem]}{detail}")
        self.show(options, found.model_dump(mode="json"), f"{folder / PAGE}: {summed(found)}")
