"""What it costs to tell, and to choose, which packages in a bucket are not locked as the archive wants them.

usage: python -m tests.bench.bucket_locks [--recordings 100000]; ARCHIVE_TESTS_ENGINE=postgresql for the other engine
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from tests.support.archives import ENGINE, archive_in

LOOKS = 5


def fill(row: Any, recordings: int) -> None:
    """Make so many recordings under a lock, of twenty students; a tenth is on hold, a tenth was, some are unseen."""
    from django.utils import timezone

    from archive.recordings.models import BucketLock, Recording
    from archive.records.holds.models import Held
    from archive.records.meetings.models import Filing, Meeting
    from tests.archive.records.factories import make_matter, make_room, make_student

    now, room, matter = timezone.now(), make_room(), make_matter()
    students = [make_student() for _ in range(20)]
    rows, meetings, filings, locks, held = [], [], [], [], []
    for number in range(recordings):
        one = Recording(**{field.attname: getattr(row, field.attname) for field in Recording._meta.concrete_fields})
        one.pk, one.room_id = f"{number:032x}", room.pk
        student = students[number % len(students)]
        meeting = Meeting(kind="iep", student=student, room=room, starts_at=now, ends_at=now + timedelta(hours=1))
        rows.append(one)
        meetings.append(meeting)
        filings.append(Filing(recording=one, meeting=meeting, filed_at=now, confirmed_at=now))
        if number % 100:
            locks.append(
                BucketLock(
                    recording=one.pk,
                    bucket="district",
                    package=f"{one.pk}.zip",
                    until=now + timedelta(days=300),
                    held=number % 20 == 0 or number % 10 == 3,
                    looked_at=now,
                    due_at=now + timedelta(days=number % 7),
                )
            )
        if number % 10 in {3, 7}:
            ended = {"released_at": now, "release_reason": "over"} if number % 10 == 7 else {}
            held.append(Held(matter=matter, recording=one, added_at=now, **ended))
    held.append(Held(matter=matter, student=students[0], added_at=now))
    Recording.objects.bulk_create(rows, batch_size=2000)
    Meeting.objects.bulk_create(meetings, batch_size=2000)
    Filing.objects.bulk_create(filings, batch_size=2000)
    BucketLock.objects.bulk_create(locks, batch_size=2000)
    Held.objects.bulk_create(held, batch_size=2000)


def measured(work: Callable[[], object]) -> dict[str, float]:
    """How long it takes by the clock and by the CPU of this process, in milliseconds; the least of some."""
    clocks, cpus = [], []
    for _ in range(LOOKS):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        clocks.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return {"ms": round(min(clocks) * 1e3, 1), "cpu_ms": round(min(cpus) * 1e3, 1)}


def main() -> None:
    """Make the recordings, measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, archive_in(Path(place) / "archive", ENGINE) as archive:
        from django.db import connection
        from django.utils import timezone

        from archive.recordings import bucket_locks, staying
        from archive.recordings.models import Recording
        from tests.archive.page_fixtures import seal_one

        fill(Recording.objects.get(pk=seal_one(archive, Path(place) / "spool", seconds=1).id), options.recordings)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        one = f"{3:032x}"
        with mock.patch.object(bucket_locks, "chosen_bucket", return_value=mock.Mock(bucket="district")):
            seen = bucket_locks.out_of_line()
            print(
                json.dumps(
                    {
                        "engine": ENGINE,
                        "recordings": options.recordings,
                        "not_held": len(seen.not_held),
                        "unseen": seen.unseen,
                        "out_of_line": measured(bucket_locks.out_of_line),
                        "due": measured(lambda: bucket_locks._due("district", timezone.now())),
                        "held_now": measured(staying.held_now),
                        "ever_held": measured(staying.ever_held),
                        "one": measured(lambda: staying.held_now([one])),
                    }
                )
            )


if __name__ == "__main__":
    main()
