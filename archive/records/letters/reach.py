"""Which student a letter is about."""

from __future__ import annotations

from collections.abc import Iterable

from archive.access.scopes import Scope
from archive.records.people.reach import scopes_of_students

from .models import Letter


def scopes_of_letter(letter: str) -> Iterable[Scope]:
    """Return the scopes that hold the student of a letter."""
    return scopes_of_students(Letter.objects.filter(pk=letter).values_list("student", flat=True))
