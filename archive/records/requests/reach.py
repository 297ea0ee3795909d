"""Which student a request or an amendment is about, and which recordings are filed under a student."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.access.scopes import Scope
from archive.custody.actors import SubjectType
from archive.recordings.companions import Companion
from archive.recordings.models import Recording
from archive.recordings.parts import Parts, touch
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings.models import Filing
from archive.records.meetings.reach import in_force, parts_filed
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.either import Either, named
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.records.outside_recordings.reach import in_force as outside_in_force
from archive.records.people.models import Person, Student
from archive.records.people.reach import holders_now, scopes_of_students
from archive.records.people.rules import Holder
from archive.ui.words import in_both

from .models import AccessRequest, Amendment, AmendmentState, Statement
from .rules import OPEN, Unheard


def statements_of(recording: Recording, parts: Parts | None) -> list[Companion]:
    """Return the statements that go along with a copy of these parts of a recording (34 CFR 99.21(c))."""
    return _along(recording, placed_with(recording, parts))


def statements_with(recording: Either) -> list[Companion]:
    """Return the statements that go along with each copy of all of a recording of either kind."""
    return _along(recording, placed_with(recording, None))


def placed_with(recording: Either, parts: Parts | None) -> list[Statement]:
    """Return the statements that are disclosed with these parts of a recording; None means all of it.

    34 CFR 99.21(c)(2): with the part to which a statement relates; that is the part about its student. With a part
    about another student alone it would tell that family of this one (99.12(a)).
    """
    placed = list(Statement.objects.filter(named(recording.pk)).select_related("amendment"))
    if parts is None or not placed:
        return placed
    return [one for one in placed if touch(related(recording, one), parts)]


def related(recording: Either, one: Statement) -> Parts | None:
    """Return what of a recording a statement relates to: what is about its student now; None: all of it."""
    if isinstance(recording, OutsideRecording):
        # one that no box made is never cut
        return None
    filed = in_force().filter(recording=recording.pk, meeting__student=one.amendment.student_id)
    return parts_filed(filed)


def _along(recording: Either, placed: list[Statement]) -> list[Companion]:
    return [
        Companion(f"statement-{number}.txt", _paper(one), related(recording, one))
        for number, one in enumerate(placed, 1)
    ]


def _paper(one: Statement) -> str:
    day = f"{timezone.localtime(one.placed_at):%Y-%m-%d}"
    heading = in_both(lambda: _("Statement placed {day}").format(day=day), " / ")
    return f"{heading}\n\n{one.text}\n"


def scopes_of_case(case: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of an access request or an amendment."""
    requests = AccessRequest.objects.filter(pk=case).values_list("student", flat=True)
    amendments = Amendment.objects.filter(pk=case).values_list("student", flat=True)
    return scopes_of_students([*requests, *amendments])


def holds_rights(student: Student, person: Person, on: date) -> bool:
    """Tell whether `person` holds rights over the student's records on that day (34 CFR 99.4, 99.10)."""
    return _among(person, holders_now(student.rights.select_related("person"), student.bars.all(), on))


def _among(person: Person, holders: Iterable[Holder]) -> bool:
    return person.pk in {one.person.pk for one in holders}


def unheard(row: Amendment) -> Unheard:
    """Return what is known of a refusal when somebody says that no hearing is asked for."""
    return _unheard(row, _told_on([row]), holds=holds_rights(row.student, row.person, timezone.localdate()))


def unheard_of(rows: Iterable[Amendment]) -> list[tuple[Amendment, Unheard]]:
    """Return the same of all of these, in few queries: read them `with_holders`."""
    rows, today = list(rows), timezone.localdate()
    told = _told_on(rows)
    found = []
    for row in rows:
        holders = holders_now(row.student.rights.all(), row.student.bars.all(), today)
        found.append((row, _unheard(row, told, holds=_among(row.person, holders))))
    return found


def with_holders(rows: QuerySet[Amendment]) -> QuerySet[Amendment]:
    """Return these, each with its student, and with whoever may hold rights over the student's records."""
    return rows.select_related("student", "person").prefetch_related("student__rights__person", "student__bars")


def _unheard(row: Amendment, told: dict[str, date], *, holds: bool) -> Unheard:
    decided = None if row.decided_at is None else timezone.localtime(row.decided_at).date()
    return Unheard(AmendmentState(row.state), decided, told.get(str(row.pk)), row.hearing_days, holds)


def _told_on(rows: Iterable[Amendment]) -> dict[str, date]:
    """Return when the letters of these refusals were delivered, by amendment."""
    letters = Letter.objects.filter(
        template__kind=LetterKind.REFUSAL_TO_AMEND,
        about_type=SubjectType.CASE,
        about_id__in=[str(row.pk) for row in rows],
        delivered_at__isnull=False,
    )
    pairs = letters.values_list("about_id", "delivered_at")
    return {case: timezone.localtime(at).date() for case, at in pairs if at is not None}


def open_cases(recording: str) -> list[AccessRequest | Amendment]:
    """Return what is open about a recording of either kind: nothing is destroyed meanwhile (34 CFR 99.10(e)).

    Filings that were ended count, so that nobody ends one to be rid of a request.
    """
    students = Filing.objects.filter(recording=recording).values("meeting__student")
    brought = OutsideFiling.objects.filter(outside=recording).values("meeting__student")
    return [
        *AccessRequest.objects.filter(Q(student__in=students) | Q(student__in=brought), closed_at=None),
        *Amendment.objects.filter(named(recording), state__in=OPEN),
    ]


def asked_about() -> Q:
    """Return the condition that something is open about a recording, for the recordings' table."""
    asking = AccessRequest.objects.filter(closed_at=None).values("student")
    filed = Filing.objects.filter(meeting__student__in=asking).values("recording")
    return Q(pk__in=filed) | Q(pk__in=_to_amend("recording"))


def asked_about_outside() -> Q:
    """Return the same condition for the table of recordings that no box made."""
    asking = AccessRequest.objects.filter(closed_at=None).values("student")
    filed = OutsideFiling.objects.filter(meeting__student__in=asking).values("outside")
    return Q(pk__in=filed) | Q(pk__in=_to_amend("outside"))


def _to_amend(column: str) -> QuerySet[Amendment, Any]:
    open_ones: QuerySet[Amendment, Any] = Amendment.objects.filter(~Q((column, None)), state__in=OPEN).values(column)
    return open_ones


def recordings_of(student: Student) -> list[Recording]:
    """Return the recordings that are filed under the student's meetings."""
    held = in_force().filter(meeting__student=student).values("recording")
    return list(Recording.objects.filter(pk__in=held).select_related("room").defer("header", "receipt"))


def brought_of(student: Student) -> list[tuple[OutsideRecording, str]]:
    """Return the recordings that no box made and that are filed under them, each as a person calls it."""
    filed = outside_in_force().filter(meeting__student=student).values("outside")
    rows = OutsideRecording.objects.filter(pk__in=filed).defer("index", "statement", "receipt")
    return [(row, called(row)) for row in rows]
