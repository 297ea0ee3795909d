"""check-custody: check the custody log's chain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from appliance.contract.durable_files import create
from appliance.contract.errors import SettingsError
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody import time_stamps
from archive.custody.check import check, contradictions
from archive.custody.heads import lines_of
from archive.custody.models import Head, TimeStamp


class Command(ArchiveCommand):
    """Check the chain and print its head, of which a copy should be kept elsewhere."""

    help = (
        "Check the custody log: its hash chain, the archive's signature over its end, every signed head that was "
        "published, every time-stamp of an authority, offline, and whether users, boxes and recordings are what the "
        "entries say. With --against also signed heads "
        "that were kept elsewhere: a database that was put back to an older state holds against all but those. Exit "
        "status 1 if anything does not hold."
    )
    example = "plainsight-archive check-custody --against /media/stick/custody-heads.tsv --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what is held against it."""
        parser.add_argument(
            "--against", type=Path, action="append", default=[], metavar="FILE", help="signed heads kept elsewhere"
        )
        parser.add_argument(
            "--write-time-stamps",
            type=Path,
            metavar="FOLDER",
            help="write each time-stamp there with what it is of, for 'openssl ts -verify'",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check."""
        stamps = list(time_stamps.kept(settings.ARCHIVE.custody.authority_certificates))
        if options["write_time_stamps"] is not None:
            _write(options["write_time_stamps"])
        elsewhere = [kept for path in options["against"] for kept in lines_of(path)]
        broken = check([*elsewhere, *((one.where, one.line) for one in stamps)])
        head = Head.objects.filter(pk=1).first() or Head(n=0, digest="")
        contrary = contradictions() if broken is None else []
        unproved = [f"{one.where}: {one.problem}" for one in stamps if one.problem]
        members = {
            "entries": head.n,
            "head": head.digest,
            "intact": broken is None and not contrary and not unproved,
            "problem": None if broken is None else f"entry {broken.n}: {broken.problem}",
            "contradictions": contrary,
            "time_stamps": len(stamps),
            "unproved_time_stamps": unproved,
        }
        text = f"the custody log is intact: {head.n} entries, head {head.digest}"
        if broken is not None:
            text = f"the custody log is broken at entry {broken.n}: {broken.problem}"
        elif contrary:
            text = "\n".join(["the custody log is intact, and other tables contradict it:", *contrary])
        if stamps:
            text += f"\n{len(stamps) - len(unproved)} of {len(stamps)} time-stamps hold"
            text += "".join(f"\n{one}" for one in unproved)
        self.show(options, members, text)
        if not members["intact"]:
            sys.exit(1)


def _write(folder: Path) -> None:
    """Write each time-stamp and the head that it is of; raise SettingsError if the folder is not there or not empty."""
    if not folder.is_dir() or any(folder.iterdir()):
        raise SettingsError(f"{folder} is no empty folder; make one, or name another", field="--write-time-stamps")
    for row in TimeStamp.objects.iterator():
        create(folder / f"{row.n:08d}.tsv", [bytes(row.line)])
        create(folder / f"{row.n:08d}.tsr", [bytes(row.response)])
