"""Which student a letter is about, and whom a court order keeps it from."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from archive.access.scopes import Scope
from archive.custody.actors import Subject
from archive.records.people.reach import kept_away, scopes_of_students

from .models import Letter


def scopes_of_letter(letter: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of a letter."""
    return scopes_of_students(Letter.objects.filter(pk=letter).values_list("student", flat=True))


def overtaken_about(subject: Subject) -> list[Letter]:
    """Return the letters about something that were made before what they say was corrected."""
    found = Letter.objects.filter(about_type=subject.type, about_id=subject.id, overtaken_at__isnull=False)
    return list(found.select_related("person"))


def withheld(letters: Iterable[Letter]) -> set[UUID]:
    """Return which of these letters a court order keeps from the person whom they were made for (34 CFR 99.4).

    One that was delivered before is not held back any more.
    """
    waiting = [one for one in letters if one.delivered_at is None]
    away = kept_away(one.student_id for one in waiting if one.student_id is not None)
    return {one.pk for one in waiting if (one.student_id, one.person_id) in away}
