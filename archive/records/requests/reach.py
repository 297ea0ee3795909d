"""Which student a request or an amendment is about, and which recordings are filed under a student."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from archive.access.scopes import Scope
from archive.recordings.companions import Companion
from archive.recordings.models import Recording
from archive.recordings.parts import Parts
from archive.records.meetings.models import Filing
from archive.records.meetings.reach import in_force
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.reach import in_force as outside_in_force
from archive.records.people.models import Student
from archive.records.people.reach import scopes_of_students

from .models import AccessRequest, Amendment, Statement
from .rules import NEXT

_WAITING: Final = [state for state, then in NEXT.items() if then]


def statements_of(recording: Recording, _parts: Parts | None) -> list[Companion]:
    """Return the statements that go along with each copy of a recording (34 CFR 99.21(c)), whatever parts it holds."""
    placed = Statement.objects.filter(recording=recording)
    return [
        Companion(f"statement-{number}.txt", f"Statement placed {one.placed_at:%Y-%m-%d}\n\n{one.text}\n")
        for number, one in enumerate(placed, 1)
    ]


def scopes_of_case(case: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of an access request or an amendment."""
    requests = AccessRequest.objects.filter(pk=case).values_list("student", flat=True)
    amendments = Amendment.objects.filter(pk=case).values_list("student", flat=True)
    return scopes_of_students([*requests, *amendments])


def open_cases(recording: str) -> list[AccessRequest | Amendment]:
    """Return what is open about a recording of either kind: nothing is destroyed meanwhile (34 CFR 99.10(e)).

    Filings that were ended count, so that nobody ends one to be rid of a request.
    """
    students = Filing.objects.filter(recording=recording).values("meeting__student")
    brought = OutsideFiling.objects.filter(outside=recording).values("meeting__student")
    return [
        *AccessRequest.objects.filter(Q(student__in=students) | Q(student__in=brought), closed_at=None),
        *Amendment.objects.filter(recording=recording, state__in=_WAITING),
    ]


def asked_about() -> Q:
    """Return the condition that something is open about a recording, for the recordings' table."""
    asking = AccessRequest.objects.filter(closed_at=None).values("student")
    filed = Filing.objects.filter(meeting__student__in=asking).values("recording")
    return Q(pk__in=filed) | Q(pk__in=Amendment.objects.filter(state__in=_WAITING).values("recording"))


def asked_about_outside() -> Q:
    """Return the same condition for the table of recordings that no box made."""
    asking = AccessRequest.objects.filter(closed_at=None).values("student")
    return Q(pk__in=OutsideFiling.objects.filter(meeting__student__in=asking).values("outside"))


def recordings_of(student: Student) -> list[Recording]:
    """Return the recordings that are filed under the student's meetings."""
    held = in_force().filter(meeting__student=student).values("recording")
    return list(Recording.objects.filter(pk__in=held).select_related("room").defer("header", "receipt"))


def brought_of(student: Student) -> list[tuple[OutsideRecording, str]]:
    """Return the recordings that no box made and that are filed under them, each as a person calls it."""
    filed = outside_in_force().filter(meeting__student=student).values("outside")
    rows = OutsideRecording.objects.filter(pk__in=filed).defer("index", "statement", "receipt")
    return [(row, called(row)) for row in rows]
