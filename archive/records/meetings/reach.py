"""Which students a meeting and a recording are about: a recording through its confirmed filings alone."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.scopes import DISTRICT, Scope, ScopeType
from archive.accounts.models import User
from archive.recordings.parts import Part, Parts
from archive.records.people.models import Student
from archive.records.people.reach import scopes_of_students

from .models import Filing, Meeting


def in_force() -> QuerySet[Filing]:
    """Return the filings through which people reach recordings: confirmed by a second person, and not doubted."""
    return Filing.objects.filter(confirmed_at__isnull=False, end_asked_at=None, ended_at=None)


def scopes_of_meeting(meeting: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of a meeting."""
    return scopes_of_students(Meeting.objects.filter(pk=meeting).values_list("student", flat=True))


def scopes_of_recording(recording: str) -> Iterable[Scope]:
    """Return the scopes that hold the students of a recording's meetings."""
    return scopes_of_students(in_force().filter(recording=recording).values_list("meeting__student", flat=True))


def audible_parts(user: User, deed: Deed, recording: str) -> Parts | None:
    """Return the parts to which a person may do `deed` who reaches a recording through a student; None means all.

    34 CFR 99.12(a): where a record is about several students, each parent inspects only what is about the own child.
    """
    scopes = reach_of(user, deed).scopes
    if DISTRICT in scopes or Scope.recording(recording) in scopes:
        return None
    filings = in_force().filter(recording=recording).select_related("meeting__student")
    return parts_filed(one for one in filings if not scopes.isdisjoint(_of_student(one.meeting.student)))


def parts_filed(filings: Iterable[Filing]) -> Parts | None:
    """Return what of one recording these filings put under their meetings; None means all of it."""
    held = list(filings)
    if any(one.first_frame is None and one.last_frame is None for one in held):
        return None
    return tuple(Part(one.first_frame or 0, one.last_frame) for one in held)


def parts_about(student: UUID, recording: str) -> Parts | None:
    """Return what of a recording is filed under a student's meetings now; None means all of it (34 CFR 99.12(a))."""
    return parts_filed(in_force().filter(recording=recording, meeting__student=student))


def _of_student(student: Student) -> set[Scope]:
    own = {Scope.student(student.pk)}
    return own | {Scope.school(student.school_id)} if student.school_id else own


def recordings_in(scopes: Iterable[Scope]) -> Q:
    """Return the condition that a recording is filed under a meeting of a student in one of `scopes`."""
    scopes = list(scopes)
    students = [scope.id for scope in scopes if scope.type == ScopeType.STUDENT]
    schools = [scope.id for scope in scopes if scope.type == ScopeType.SCHOOL]
    held = in_force().filter(Q(meeting__student__in=students) | Q(meeting__student__school__in=schools))
    return Q(pk__in=held.values("recording"))
