"""Telling parents of a compelled production or a transfer before it: each deed with its custody entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.utils import timezone

from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.records.errors import DeedError
from archive.records.letters.deeds import make_letter
from archive.records.letters.letter_facts import common, written_day
from archive.records.letters.models import Letter, LetterKind
from archive.records.meetings.describe import title
from archive.records.outside_recordings.either import meetings_of, students_of
from archive.records.people.models import Person, Student

from .custody_kinds import DISCLOSURE_CHANGED, DISCLOSURE_TOLD
from .deeds import enter, open_disclosure
from .models import EXEMPT_OF, Basis, Disclosure, NoticeGiven
from .reach import student_of

LETTERS: Final = {Basis.COMPELLED: LetterKind.SUBPOENA, Basis.TRANSFER: LetterKind.TRANSFER}
"""The letter that tells a parent of a disclosure before it."""


@dataclass(frozen=True)
class Notice:
    """What is known of the notice to parents."""

    student: Student | None = None
    """Whose parents were told; None: nobody yet."""
    told_on: date | None = None
    """When they were told."""
    waits_until: date | None = None
    """Last day on which they may act against a compelled production; None: as it was."""
    exempt: str = ""
    """One of Exempt: why nobody must be told; empty where parents must be."""


def enter_notice(pk: UUID, notice: Notice, *, by: User) -> Disclosure:
    """Enter whose parents were told, until when it waits, or why no notice is needed (99.31(a)(9)(ii), 99.34).

    Each telling is a row of its own, and the last one counts for how long it waits. The day until which it waits is
    only moved later: a parent was promised it. Raises DeedError.
    """
    if notice.told_on is not None and notice.told_on > timezone.localdate():
        raise DeedError("This day is still to come.", field="told_on")
    if (notice.student is None) != (notice.told_on is None):
        raise DeedError("Say whose parents were told, and when.", field="student" if notice.told_on else "told_on")
    with one_deed():
        row = open_disclosure(pk)
        if notice.exempt and notice.exempt not in EXEMPT_OF.get(Basis(row.basis), ()):
            raise DeedError("On this ground, that is no reason to tell nobody.", field="exempt")
        if notice.student is not None and notice.student not in students_of(row.about_pk):
            raise DeedError("This recording is filed under no meeting of this student.", field="student")
        _wait(row, notice)
        enter(
            DISCLOSURE_CHANGED,
            row,
            by,
            told_on=_iso(notice.told_on),
            until_day=_iso(row.waits_until),
            exempt=notice.exempt,
        )
        row.exempt = notice.exempt
        row.save(update_fields=["waits_until", "exempt"])
        if notice.student is not None:
            # a telling stays as it was entered; the same day again is the same one
            NoticeGiven.objects.get_or_create(disclosure=row, student=notice.student, told_on=notice.told_on)
    return row


def _wait(row: Disclosure, notice: Notice) -> None:
    """Move the day until which it waits; it must leave time to each parent who is told, also who is told last."""
    until = notice.waits_until or row.waits_until
    if until is None:
        return
    if row.waits_until is not None and until < row.waits_until:
        raise DeedError(
            "A parent may have been promised the later day. Withdraw this disclosure, and prepare another.",
            field="waits_until",
        )
    told = [*row.told.values_list("told_on", flat=True), *([notice.told_on] if notice.told_on else [])]
    if told and until <= max(told) and not notice.exempt and row.basis == Basis.COMPELLED:
        raise DeedError("Leave the parent time to act against it: name a later day.", field="waits_until")
    row.waits_until = until


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def write_notice(pk: UUID, person: Person, language: str, until: date | None, *, by: User) -> Letter:
    """Write the letter that tells a rights-holder of a compelled production (99.31(a)(9)(ii)) or a transfer (99.34(a)).

    Its delivery is noted with the letter; `enter_notice` then says when the parent was told.
    """
    with one_deed():
        row = open_disclosure(pk)
        if row.basis not in LETTERS:
            raise DeedError("Only a compelled production and a transfer are told by a letter.")
        compelled = row.basis == Basis.COMPELLED
        if compelled and (until is None or until <= timezone.localdate()):
            raise DeedError("Leave the parent time to act against it.", field="until")
        student = student_of(row, person)
        if student is None:
            raise DeedError(
                "This person holds no rights over the records, as far as this archive knows.", field="person"
            )
        values = {
            "meeting": title(meetings_of(row.about_pk).filter(student=student)[0]),
            "party": row.party,
            "reason": row.explanation or row.purpose,
        }
        if compelled and until is not None:
            values["until"] = written_day(until, language)
        letter = make_letter(
            LETTERS[Basis(row.basis)],
            common(student, person, language) | values,
            by=by,
            student=student,
            person=person,
            language=language,
            about=row.subject,
        )
        enter(DISCLOSURE_TOLD, row, by, letter=str(letter.pk), until_day=_iso(until if compelled else None))
        if compelled and until is not None and (row.waits_until is None or until > row.waits_until):
            # what the letter promises holds
            row.waits_until = until
            row.save(update_fields=["waits_until"])
    return letter
