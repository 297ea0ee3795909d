"""What a monitor is told about recordings and the store that keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from archive.core.metrics import Gauge, timestamp

from .bucket_locks import chosen_bucket, out_of_line
from .fixity import report
from .models import Recording, State, Verification


def gauges() -> Iterator[Gauge]:
    """Yield the figures."""
    counted = dict(Recording.objects.order_by().values_list("state").annotate(Count("pk")))
    yield Gauge(
        "recordings",
        "Recordings by where they are on their way",
        label="state",
        values={state.value: float(counted.get(state.value, 0)) for state in State},
    )
    kept = Recording.objects.filter(state=State.SEALED, destroyed_at=None)
    waiting = Recording.objects.filter(state=State.CLOSED)
    destroyed = Recording.objects.exclude(destroyed_at=None).count()
    yield Gauge("recordings_destroyed", "Recordings that were destroyed", destroyed)
    yield Gauge("packages_bytes", "Size of all sealed packages", kept.aggregate(n=Sum("package_size"))["n"] or 0)
    yield Gauge("unsealable_recordings", "Recordings that cannot be sealed", waiting.exclude(problem="").count())
    oldest = waiting.aggregate(at=Min("closed_at"))["at"]
    yield Gauge(
        "oldest_unsealed_timestamp_seconds", "When the oldest recording that waits for its seal was closed",
        timestamp(oldest),
    )  # fmt: skip
    newest = Recording.objects.aggregate(at=Max("last_arrival_at"))["at"]
    yield Gauge("last_arrival_timestamp_seconds", "When audio last arrived from any box", timestamp(newest))
    asked = Verification.objects.filter(finished_at=None).count()
    yield Gauge("checks_waiting", "Checks of packages that somebody asked for and that are not done", asked)
    found = report(timezone.now())
    yield Gauge("packages_damaged", "Sealed packages that are not what was sealed", len(found.damaged))
    yield Gauge("packages_overdue", "Sealed packages that were not checked within the period", found.overdue)
    yield Gauge(
        "oldest_check_timestamp_seconds", "When the package was checked that waits for longest", timestamp(found.oldest)
    )
    if chosen_bucket() is not None:
        yield from _of_bucket()
    yield Gauge("store_free_bytes", "Free room on the archive's disk", shutil.disk_usage(settings.ARCHIVE_HOME).free)


def _of_bucket() -> Iterator[Gauge]:
    seen = out_of_line()
    yield Gauge(
        "bucket_holds_out_of_line",
        "Packages whose legal hold in the bucket is not as the matters say",
        label="why",
        values={
            "missing": float(len(seen.not_held)),
            "left": float(len(seen.still_held)),
            "unknown": float(len(seen.unknown_hold)),
        },
    )
    yield Gauge(
        "bucket_locks_ended", "Packages that must stay, and whose lock in the bucket has ended", len(seen.ended)
    )
    yield Gauge("bucket_locks_failed", "Packages whose lock in the bucket could not be set", len(seen.problems))
    yield Gauge("bucket_locks_unseen", "Packages whose lock in the bucket was not looked at yet", seen.unseen)
