"""Bringing the locks of packages in a bucket in line with what the archive knows, and telling what is not in line.

A hold counts from the moment that its deed commits, whatever becomes of the bucket. There it is set as a legal hold,
which not even the keys for destructions get around, by a job that looks at one object after the other, notes in a row
what it saw, and goes on where it was. The same job renews locks before they end (lock_rules.py). A legal hold of which
the database knows nothing is told and never lifted: the database may be older than the bucket.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal
from archive.configuration.storage import S3
from archive.store.base import package_name
from archive.store.current import locked_until, s3

from .elsewhere import kinds_elsewhere
from .lock_rules import Renewal, stays
from .models import BucketLock, Recording, State
from .staying import ever_held, held_now, may_go_on

if TYPE_CHECKING:
    from archive.store.s3 import S3Store
    from archive.store.s3_bucket import Described

LOOK_S: Final = 60.0
"""How often the worker looks for what is not in line, in seconds."""
BATCH: Final = 500
"""Most objects in one run; the next one goes on."""
RETRY: Final = timedelta(minutes=5)
"""Before an object is tried again that could not be brought in line."""
GIVE_UP: Final = 3
"""A run ends after so many failures in a row: the bucket is away, or refuses all."""
_CHUNK: Final = 500
"""Most identifiers in one query."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutOfLine:
    """What is not in the bucket as the archive wants it, as far as was seen there."""

    not_held: frozenset[str] = frozenset()
    """Recordings on hold, without a legal hold in the bucket."""
    still_held: frozenset[str] = frozenset()
    """Recordings whose last hold has ended, still with a legal hold."""
    unknown_hold: frozenset[str] = frozenset()
    """Recordings with a legal hold, of which the database knows no hold that ever was."""
    ended: frozenset[str] = frozenset()
    """Recordings that must stay, and whose lock has ended, or that have none."""
    problems: dict[str, str] = field(default_factory=dict)
    """What the bucket said where it could not be brought in line, by recording."""
    unseen: int = 0
    """Packages that were not looked at yet."""


def chosen_bucket() -> S3 | None:
    """Return the bucket in which the archive keeps its packages; None if it keeps them on a disk."""
    chosen = settings.ARCHIVE.store
    return chosen.s3 if chosen.engine == "s3" else None


def bring_all_in_line(stop: StopSignal) -> None:
    """Bring a batch of what is not in line, or was not looked at lately, in line: a job of the worker.

    Raises StorageError where the bucket is away; whatever was done until then stands.
    """
    chosen = chosen_bucket()
    if chosen is None:
        return
    store, failures = s3(chosen, settings.ARCHIVE_HOME), 0
    for recording, package in _due(chosen.bucket, timezone.now()):
        if stop.is_set():
            return
        try:
            bring_in_line(store, recording, package)
        except PlainSightError as error:
            failures += 1
            if failures == GIVE_UP:
                raise
            _log.error(
                "the lock of %(recording)s in the bucket: %(problem)s", {"recording": recording, "problem": error}
            )
        else:
            failures = 0


def bring_in_line(store: S3Store, recording: str, package: str) -> None:
    """Look at one package in a bucket, set or lift its legal hold where that is due, and note what is there then.

    Raises StorageError where the bucket does not do it, or does not answer; that is noted as well.
    """
    now = timezone.now()
    noted = {"bucket": store.bucket.name, "package": package, "looked_at": now, "problem": ""}
    try:
        seen = store.lock_of(package)
        if seen is None:
            _note_missing(recording, noted, now)
            return
        # asked anew for each: what was put on hold since the run began is not let go
        wanted = bool(held_now([recording]))
        if wanted != seen.held and (wanted or ever_held([recording])):
            seen = store.hold(package, on=wanted)
        if seen.until is not None and _is_weaker(store, seen):
            seen = store.extend(package, seen.until)
        seen, renews = _renewed(store, recording, package, seen, now)
    except PlainSightError as error:
        tried = {**noted, "problem": error.message, "due_at": now + RETRY}
        BucketLock.objects.update_or_create(recording=recording, defaults=tried)
        raise
    found = noted | {"held": seen.held, "until": seen.until, "renews": renews, "compliance": _is_final(seen)}
    found["due_at"] = renewal_of(store, seen).looked_at_again(seen.until, now, renews=renews)
    BucketLock.objects.update_or_create(recording=recording, defaults=found)


def renewal_of(store: S3Store, seen: Described) -> Renewal:
    """Return how a lock that was seen in a store is renewed there."""
    return Renewal(store.retention.days, destroys_early=store.destroyer is not None and not _is_final(seen))


def _is_final(seen: Described) -> bool:
    """Tell whether nobody at all ends a lock early."""
    return seen.mode == "COMPLIANCE"


def _is_weaker(store: S3Store, seen: Described) -> bool:
    """Tell whether a lock was made while the settings named the weaker mode."""
    return store.retention.mode == "COMPLIANCE" and not _is_final(seen)


def _renewed(store: S3Store, recording: str, package: str, seen: Described, now: datetime) -> tuple[Described, bool]:
    """Extend a lock where that is due; return how it is locked then, and whether it is renewed as it goes on."""
    renewal = renewal_of(store, seen)
    if not renewal.is_due(seen.until, now):
        return seen, True
    if not packages_of([recording]):
        # it was destroyed, and its package is on its way out
        return seen, False
    today = timezone.localdate(now)
    must_stay = renewal.destroys_early or stays(may_go_on(recording), today, held=seen.held)
    until = renewal.renewed(seen.until, now, stays=must_stay)
    return (seen if until is None else store.extend(package, until)), must_stay


def _note_missing(recording: str, noted: dict[str, object], now: datetime) -> None:
    if not packages_of([recording]):
        # it was destroyed
        BucketLock.objects.filter(pk=recording).delete()
        return
    missing = {"held": False, "until": None, "problem": "its package is not in the bucket", "due_at": now + RETRY}
    BucketLock.objects.update_or_create(recording=recording, defaults=noted | missing)


def _due(bucket: str, now: datetime) -> list[tuple[str, str]]:
    """Return what to look at next: holds first, then what was never seen, then what was seen longest ago."""
    rows = BucketLock.objects.filter(bucket=bucket)
    held, in_bucket = held_now(), _held_in(rows)
    tried = set(rows.exclude(problem="").filter(due_at__gt=now).values_list("pk", flat=True))
    due = packages_of(held - in_bucket - tried)
    lift = _ever_held(in_bucket - held - tried)
    due |= dict(rows.filter(held=True, pk__in=sorted(lift)[:BATCH]).values_list("pk", "package"))
    if len(due) < BATCH:
        due |= dict(_unseen(rows)[:BATCH]) | _unseen_elsewhere(rows)
    if len(due) < BATCH:
        due |= dict(rows.filter(due_at__lte=now).order_by("due_at").values_list("pk", "package")[:BATCH])
    return list(due.items())[:BATCH]


def _ended(rows: QuerySet[BucketLock]) -> list[str]:
    over = Q(until__lte=timezone.now()) | Q(until=None, problem="")
    return list(rows.filter(over, renews=True).values_list("pk", flat=True))


def _held_in(rows: QuerySet[BucketLock]) -> set[str]:
    return set(rows.filter(held=True).values_list("pk", flat=True))


def _ever_held(recordings: set[str]) -> set[str]:
    """Return those that were ever on hold: usually few are asked for, of many that were."""
    return {one for some in _parts(recordings) for one in ever_held(some)}


def _unseen(rows: QuerySet[BucketLock]) -> QuerySet[Recording, tuple[str, str]]:
    # by an index alone; the rows themselves, which are long, are read of those few only
    few = Recording.objects.filter(~Exists(rows.filter(pk=OuterRef("pk"))), state=State.SEALED).order_by().values("pk")
    return Recording.objects.filter(pk__in=few, destroyed_at=None).order_by("pk").values_list("pk", "package")


def _unseen_elsewhere(rows: QuerySet[BucketLock]) -> dict[str, str]:
    kept = dict(_elsewhere())
    seen = {one for some in _parts(kept) for one in rows.filter(pk__in=some).values_list("pk", flat=True)}
    return {recording: package for recording, package in kept.items() if recording not in seen}


def packages_of(recordings: Iterable[str]) -> dict[str, str]:
    """Return the names of those recordings' packages, of whatever kind, that are sealed and not destroyed."""
    wanted = set(recordings)
    found: dict[str, str] = {}
    for some in _parts(wanted):
        kept = Recording.objects.filter(state=State.SEALED, destroyed_at=None, pk__in=some)
        found |= {pk: package_name(pk) for pk in kept.values_list("pk", flat=True)}
    if wanted - set(found):
        found |= {recording: package for recording, package in _elsewhere() if recording in wanted}
    return found


def _parts(recordings: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(recordings)
    for begin in range(0, len(ordered), _CHUNK):
        yield ordered[begin : begin + _CHUNK]


def _elsewhere() -> Iterator[tuple[str, str]]:
    for kind in kinds_elsewhere():
        yield from ((row.recording, kind.package(row.recording)) for row in kind.rows() if row.sealed)


def held_in_bucket(recording: str) -> bool:
    """Tell whether a legal hold was seen on its package in the bucket that the archive uses."""
    chosen = chosen_bucket()
    return chosen is not None and BucketLock.objects.filter(pk=recording, bucket=chosen.bucket, held=True).exists()


def removable_from(recording: str, kept_at: datetime) -> datetime | None:
    """Return until when the store lets nobody remove a package that was kept then; None: a destruction can."""
    until = locked_until(kept_at)
    chosen = chosen_bucket()
    if chosen is None:
        return until
    seen = BucketLock.objects.filter(pk=recording, bucket=chosen.bucket, until__isnull=False).first()
    if seen is None or (until is None and not seen.compliance):
        return until
    # a lock of the stronger mode stands to its end, also where the settings let destructions bypass locks by now
    return seen.until


def out_of_line() -> OutOfLine:
    """Return what is not in line; the bucket is not asked."""
    chosen = chosen_bucket()
    if chosen is None:
        return OutOfLine()
    rows = BucketLock.objects.filter(bucket=chosen.bucket)
    held, in_bucket = held_now(), _held_in(rows)
    left = in_bucket - held
    known = _ever_held(left)
    return OutOfLine(
        not_held=frozenset(packages_of(held - in_bucket)),
        still_held=frozenset(known),
        unknown_hold=frozenset(left - known),
        ended=frozenset(packages_of(_ended(rows))),
        problems=dict(rows.exclude(problem="").order_by("pk").values_list("pk", "problem")),
        unseen=_unseen(rows).count() + len(_unseen_elsewhere(rows)),
    )
