"""A process that looks into the archive's database while the fleet runs: how old what it says about boxes is.

For some of the boxes it reads, five times a second, what the listener keeps; when that is new, its age is noted: from
the moment at which the courier read the recorder's status to the moment at which anybody could read it in the database,
with up to a fifth of a second for the look itself. Both are moments of one CLOCK_MONOTONIC, since all is one machine.

usage: python -m appliance.simulator.fleet.watching FOLDER, with $ARCHIVE_HOME; ends at SIGTERM
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from appliance.contract.durable_files import replace
from appliance.contract.stop_signal import StopSignal

from .plan import GO

SEEN: Final = "seen.json"
"""The result, in that folder."""
READY: Final = "watching"
"""Appears there when it can look."""
LOOK_S: Final = 0.2
WATCHED: Final = 200
"""Boxes that are watched, evenly taken from all of them."""


class Seen(BaseModel):
    """What it saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status_age_s: list[float]
    """Age of each new word about a box when it could be read, in seconds."""
    database_before: int
    """Size of the database at the begin, in bytes."""
    database_after: int
    """At the end."""
    sealed: int
    """Recordings that the archive has sealed."""


def database_bytes() -> int:
    """Return how large the database is, without what is free in it."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        values = []
        for name in ("page_count", "freelist_count", "page_size"):
            cursor.execute(f"PRAGMA {name}")
            values.append(int(cursor.fetchone()[0]))
    count, free, size = values
    return (count - free) * size


def watch(stop: StopSignal, folder: Path) -> Seen:
    """Look from the fleet's start until `stop`."""
    from archive.devices.models import Box, BoxStatus
    from archive.recordings.models import Recording, State

    boxes = list(Box.objects.order_by("pk").values_list("pk", flat=True))
    watched = boxes[:: max(1, len(boxes) // WATCHED)][:WATCHED]
    (folder / READY).touch()
    while not (folder / GO).exists() and not stop.wait(LOOK_S):
        pass
    before = database_bytes()
    last: dict[str, int] = {}
    ages: list[float] = []
    while not stop.wait(LOOK_S):
        rows = list(BoxStatus.objects.filter(pk__in=watched, recorder_live=True).values_list("pk", "recorder"))
        now_ns = time.monotonic_ns()
        for box, said in rows:
            at_ns = int((said or {}).get("monotonic_ns", 0))
            if at_ns > last.get(box, 0):
                # the first word may be from before the watch
                if box in last:
                    ages.append((now_ns - at_ns) / 1e9)
                last[box] = at_ns
    sealed = Recording.objects.filter(state=State.SEALED).count()
    return Seen(status_age_s=ages, database_before=before, database_after=database_bytes(), sealed=sealed)


def main() -> int:
    """Watch, and write the result."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
    django.setup()
    folder, stop = Path(sys.argv[1]), StopSignal()
    with stop.listening():
        seen = watch(stop, folder)
    replace(folder / SEEN, seen.model_dump_json().encode(), mode=0o600, durable=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
