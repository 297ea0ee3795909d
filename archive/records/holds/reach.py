"""Which matters hold a recording."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import DISTRICT, Reach, Scope, recordings_in, scopes_of
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.find import about
from archive.recordings.models import Recording
from archive.records.meetings.models import Filing
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.reach import outside_in
from archive.records.people.models import Student
from archive.records.people.reach import scopes_of_students
from archive.records.people.search import reached

from .models import Held, Matter

_KEPT: Final = Q(recording__destroyed_at=None)
_KEPT_OUTSIDE: Final = Q(outside__destroyed_at=None)
"""Of filings: those of a recording that was not destroyed. Of one that was, they go with the rest of it."""


def matters_of(recording: str) -> QuerySet[Matter]:
    """Return the open matters that hold a recording, a box's or one that was brought, itself or through a student.

    Every filing counts, also one that was ended: what was once filed under a held student is no way out of the hold.
    What two people decided to destroy before is out of its reach, also while key and package are still on their way
    out: it was destroyed, and stays so.
    """
    students = Filing.objects.filter(_KEPT, recording=recording).values("meeting__student")
    brought = OutsideFiling.objects.filter(_KEPT_OUTSIDE, outside=recording).values("meeting__student")
    itself = Q(recording=recording) | Q(outside=recording)
    held = Held.objects.filter(itself | Q(student__in=students) | Q(student__in=brought), released_at=None)
    return Matter.objects.filter(pk__in=held.values("matter"), released_at=None)


def why_held(recording: str) -> str:
    """Return why a recording's key may not be destroyed, or an empty text."""
    matters = matters_of(recording).count()
    return f"recording {recording} is on hold, in {matters} matter(s); it is kept until a person ends them" * bool(
        matters
    )


def held_recordings() -> Q:
    """Return the condition that a recording is on hold, for the recordings' table."""
    held = Held.objects.filter(released_at=None, matter__released_at=None)
    filed = Filing.objects.filter(_KEPT, meeting__student__in=held.exclude(student=None).values("student"))
    return Q(pk__in=held.exclude(recording=None).values("recording")) | Q(pk__in=filed.values("recording"))


def held_outside() -> Q:
    """Return the condition that a recording that no box made is on hold, for the table of those."""
    held = Held.objects.filter(released_at=None, matter__released_at=None)
    filed = OutsideFiling.objects.filter(
        _KEPT_OUTSIDE, meeting__student__in=held.exclude(student=None).values("student")
    )
    return Q(pk__in=held.exclude(outside=None).values("outside")) | Q(pk__in=filed.values("outside"))


def held_now(among: Collection[str] | None = None) -> set[str]:
    """Return every recording, of all or `among` some, that an open matter holds, whoever made it."""
    return _reached_by(Held.objects.filter(released_at=None, matter__released_at=None), among, kept=True)


def ever_held(among: Collection[str] | None = None) -> set[str]:
    """Return every recording, of all or `among` some, that a matter holds, or held until it was released."""
    return _reached_by(Held.objects.all(), among)


def too_late_for(student: Student) -> int:
    """Return how many recordings of a student were destroyed, and are not gone altogether yet: no hold reaches them."""
    box = Filing.objects.filter(meeting__student=student).exclude(_KEPT).values("recording").distinct()
    brought = OutsideFiling.objects.filter(meeting__student=student).exclude(_KEPT_OUTSIDE).values("outside").distinct()
    return box.count() + brought.count()


def _reached_by(items: QuerySet[Held], among: Collection[str] | None, *, kept: bool = False) -> set[str]:
    columns = (
        "recording",
        "outside",
        "student__meetings__filings__recording",
        "student__meetings__outside_filings__outside",
    )
    found: set[str] = set()
    for column in columns:
        chosen = Q((f"{column}__isnull", False)) if among is None else Q((f"{column}__in", among))
        chosen &= Q((f"{column}__destroyed_at", None)) if kept else Q()
        found |= set(items.filter(chosen).values_list(column, flat=True))
    return found


def items_in(reach: Reach) -> Q:
    """Return the condition that what a matter holds or held lies in `reach`."""
    brought = OutsideRecording.objects.filter(outside_in(reach))
    return (
        Q(reached(reach, "student"), recording=None, outside=None)
        | Q(about(reach), student=None, outside=None)
        | Q(student=None, outside__in=brought.values("pk"))
    )


def scopes_of_matter(matter: str) -> Iterator[Scope]:
    """Yield the scopes that hold what a matter holds or held; of one that holds nothing yet, where its opener may."""
    items = list(Held.objects.filter(matter=UUID(matter)))
    yield from scopes_of_students(one.student_id for one in items if one.student_id)
    for one in items:
        if one.recording_id or one.outside_id:
            yield from scopes_of(
                Subject.outside(one.outside_id) if one.outside_id else Subject.recording(one.recording_id or "")
            )
    if not items:
        opener = Matter.objects.filter(pk=matter).values("opened_by")
        grants = Grant.objects.filter(user__in=opener, deed=Deed.HOLD)
        yield from (one.scope for one in grants.in_time(timezone.now()))


def matters_in(reach: Reach, user: User) -> QuerySet[Matter]:
    """Return the matters that `user`, who may hold as far as `reach`, is let to: no other one's title is told."""
    items = Held.objects.filter(matter=OuterRef("pk"))
    found = Matter.objects.all()
    if DISTRICT not in reach.scopes:
        found = found.filter(Exists(items.filter(items_in(Reach(reach.scopes)))) | Q(~Exists(items), opened_by=user))
    return found.exclude(Exists(items.filter(items_in(Reach(reach.barred))))) if reach.barred else found


def counts_of(matters: Iterable[Matter], reach: Reach) -> dict[UUID, int]:
    """Return how many recordings in `reach` each of these open matters holds, in four queries for all of them."""
    found: dict[UUID, set[str]] = {one.pk: set() for one in matters}
    items = Held.objects.filter(matter__in=list(found), released_at=None)
    near = Recording.objects.filter(recordings_in(reach)).values("pk")
    brought = OutsideRecording.objects.filter(outside_in(reach)).values("pk")
    ways = {
        "recording": near,
        "outside": brought,
        "student__meetings__filings__recording": near,
        "student__meetings__outside_filings__outside": brought,
    }
    for way, within in ways.items():
        for matter, recording in items.filter(**{f"{way}__in": within}).values_list("matter", way):
            found[matter].add(recording)
    return {pk: len(recordings) for pk, recordings in found.items()}


def recordings_of(matter: Matter) -> QuerySet[Recording]:
    """Return the recordings that a matter holds, or held before it ended."""
    items = matter.items.filter(released_at=None) if matter.released_at is None else matter.items.all()
    filed = Filing.objects.filter(_KEPT, meeting__student__in=items.exclude(student=None).values("student"))
    return Recording.objects.filter(
        Q(pk__in=items.exclude(recording=None).values("recording")) | Q(pk__in=filed.values("recording"))
    ).select_related("room")


def outside_of(matter: Matter) -> QuerySet[OutsideRecording]:
    """Return the recordings that no box made and that a matter holds, or held before it ended."""
    items = matter.items.filter(released_at=None) if matter.released_at is None else matter.items.all()
    of_students = items.exclude(student=None).values("student")
    filed = OutsideFiling.objects.filter(_KEPT_OUTSIDE, meeting__student__in=of_students)
    itself = Q(pk__in=items.exclude(outside=None).values("outside"))
    return OutsideRecording.objects.filter(itself | Q(pk__in=filed.values("outside"))).defer("index", "statement")
