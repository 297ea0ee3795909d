"""What a recording costs the database once it is sealed: fixed and by its length, table by table.

Recordings of two lengths are taken in, sealed, drawn and checked as the archive does it, a few of each length, and the
database is measured before and after each length. What was deleted meanwhile is free for what comes next, so it is
counted no more than SQLite's free pages are; on PostgreSQL tables are written anew before each look (VACUUM FULL),
which gives the same. Before all that one short recording goes, so that what an empty table or index costs is not
counted. Audio has 8000 Hz, which is cheap to make: the database knows segments, whatever they hold.

usage: python -m tests.bench.growth [--short 60 8] [--long 3600 1] [--postgresql] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.support.archives import archive_in
from tests.support.box_requests import batches, send_lines, send_start
from tests.support.spools import Keys, Recording

HOUR_S: Final = 3600
RATE: Final = 8000
IN_A_REQUEST: Final = 5
"""Segments that a courier sends at once while a meeting is held."""
_SQLITE: Final = "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name) GROUP BY 1"
_POSTGRESQL: Final = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
Sizes = dict[str, float]
"""Bytes of each table with its indexes."""


class LongRecording(Recording):
    """A recording that keeps no samples: nobody compares them, and an hour of them takes long to join."""

    length = 0

    @property
    def frames(self) -> int:
        return self.length

    def add(self, seconds: int) -> None:
        """Add so many segments of one second of silence."""
        silence = np.zeros(self.segment_frames, np.int16)
        for _ in range(seconds):
            self.segment(silence)
            self.samples = silence[:0]
            self.length += silence.size


def keep_one(client: Any, keys: Keys, spool: Path, seconds: int) -> str:
    """Let a recording arrive as it does while a meeting is held; seal it, draw its waveform, check its package."""
    # models can be imported only after Django is set up
    from archive.custody.actors import ARCHIVE  # noqa: PLC0415
    from archive.recordings.verification import verify_again  # noqa: PLC0415
    from archive.recordings.waveform import draw  # noqa: PLC0415
    from archive.sealing.seal import seal  # noqa: PLC0415

    made = LongRecording(spool, keys, rate=RATE, segment_frames=RATE)
    made.begin()
    made.add(seconds)
    made.close()
    send_start(client, made)
    for _, body in batches(made, IN_A_REQUEST):
        assert send_lines(client, made, body).status_code == 200
    row = seal(made.id)
    draw(row)
    assert verify_again(row, ARCHIVE).verdict == "intact"
    return made.id


def sizes() -> Sizes:
    """Return what each table takes, without what is free."""
    from django.db import connection  # noqa: PLC0415 - as above

    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute("VACUUM FULL")
        cursor.execute(_POSTGRESQL if postgresql else _SQLITE)
        return {str(table): float(size) for table, size in cursor.fetchall()}


def each(before: Sizes, after: Sizes, recordings: int) -> Sizes:
    """Return by how much each table grew, for one of `recordings`. Pure."""
    return {table: (size - before.get(table, 0)) / recordings for table, size in after.items()}


def split(short: Sizes, short_s: int, long: Sizes, long_s: int) -> dict[str, tuple[float, float]]:
    """Return what a recording costs in each table, and what an hour of it adds: bytes. Pure."""
    found = {}
    for table, size in long.items():
        hour = (size - short.get(table, 0)) * HOUR_S / (long_s - short_s)
        found[table] = (short.get(table, 0) - hour * short_s / HOUR_S, hour)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("short", [60, 8]), ("long", [HOUR_S, 1])):
        parser.add_argument(
            f"--{name}", type=int, nargs=2, default=usual, metavar=("SECONDS", "RECORDINGS"), help=f"default: {usual}"
        )
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, in a cluster of its own")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    engine = "postgresql" if options.postgresql else "sqlite"
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="plainsight-bench-") as name,
        archive_in(Path(name) / "archive", engine) as archive,
    ):
        client, spool = archive.client(), Path(name) / "spool"
        keep_one(client, archive.keys, spool, 1)
        before = sizes()
        for seconds, recordings in (options.short, options.long):
            for _ in range(recordings):
                keep_one(client, archive.keys, spool, seconds)
            after = sizes()
            found.append(each(before, after, recordings))
            before = after
    costs = split(found[0], options.short[0], found[1], options.long[0])
    told = {table: (round(once), round(hour)) for table, (once, hour) in costs.items() if round(abs(once) + abs(hour))}
    total = [sum(parts) for parts in zip(*told.values(), strict=True)]
    if options.json:
        print(json.dumps({"engine": engine, "recording": total[0], "hour": total[1], "tables": told}))
        return
    print(f"{engine}: bytes a recording, and bytes that an hour adds")
    for table, (once, hour) in [*sorted(told.items(), key=lambda one: -sum(one[1])), ("all", tuple(total))]:
        print(f"{table:40} {once:8} {hour:8}")


if __name__ == "__main__":
    main()
