"""What it costs to make a redacted copy of a long recording: how much faster than real time, and how much memory.

Each length is made in a process of its own, so that its greatest memory is that length's.

usage: ./deploy/bench --redaction [--hours 1 4] [--json]
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.reading import put_into, resident_mb
from tests.support.archives import archive_in

PASSAGES = 60
"""Passages of the copy: a third of it in all, muted and toned in turns."""


def make_one(recording: str) -> dict[str, Any]:
    """Make a copy of one recording, in this process; return what it took."""
    from archive.recordings.models import Recording
    from archive.records.redactions.make_deeds import make
    from archive.records.redactions.models import Passage, Redaction

    row = Recording.objects.get(pk=recording)
    now = datetime.now(UTC)
    redaction = Redaction.objects.create(recording=row, purpose="bench", begun_at=now)
    step = row.frames // PASSAGES
    Passage.objects.bulk_create(
        Passage(
            redaction=redaction,
            first_frame=number * step,
            last_frame=number * step + step // 3,
            how=("mute", "tone")[number % 2],
            basis="other",
            reason="bench",
            entered_at=now,
        )
        for number in range(PASSAGES)
    )
    Redaction.objects.filter(pk=redaction.pk).update(state="asked", asked_at=now)
    asked = Redaction.objects.select_related("recording").get(pk=redaction.pk)
    before, began, cpu = resident_mb(), time.perf_counter(), time.process_time()
    found = make(asked)
    took, worked = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "hours": round(row.seconds / 3600, 3),
        "times_real_time": round(row.seconds / took, 1),
        "times_real_time_of_cpu": round(row.seconds / worked, 1),
        "memory_before_mb": round(before, 1),
        "memory_peak_mb": round(peak, 1),
        "memory_grown_mb": round(peak - before, 1),
        "samples_compared_outside": found.outside,
        "samples_changed_outside": found.changed,
        "samples_inside": found.inside,
        "samples_of_the_original_left": found.left,
    }


def measured(recording: str) -> dict[str, Any]:
    """Do that in a child, which ends with its memory."""
    from django.db import connections

    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.write(writing, json.dumps(make_one(recording)).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        answer = said.read()
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("the copy could not be made; the error stands above")
    return dict(json.loads(answer))


def main() -> int:
    """Measure, and print what was found; status 1 where a sample is wrong."""
    parser = argparse.ArgumentParser(prog="./deploy/bench --redaction", description=__doc__)
    parser.add_argument("--redaction", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 4.0], help="lengths of the recordings")
    parser.add_argument("--json", action="store_true", help="one JSON object on the standard output")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="redaction-bench-"))
    try:
        with archive_in(folder / "archive") as archive:
            found = [
                measured(put_into(archive, folder / f"spool{number}", round(hours * 3600)).id)
                for number, hours in enumerate(options.hours)
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        sys.stdout.write(json.dumps({"copies": found}, indent=2) + "\n")
    else:
        for one in found:
            sys.stdout.write("; ".join(f"{name} {value}" for name, value in one.items()) + "\n")
    return int(any(one["samples_changed_outside"] or one["samples_of_the_original_left"] for one in found))


if __name__ == "__main__":
    sys.exit(main())
