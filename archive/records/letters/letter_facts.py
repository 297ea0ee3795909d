"""What every letter says."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from archive.records.people.models import Person, Student
from archive.ui import words


def common(student: Student, person: Person, language: str) -> dict[str, str]:
    """Return the values of the placeholders that every letter has."""
    with translation.override(language):
        today = date_format(timezone.localdate(), "DATE_FORMAT")
    return {
        "district": settings.ARCHIVE.records.district,
        "date": today,
        "recipient": str(person),
        "student": str(student),
        "contact": words.contact(settings.ARCHIVE.site.contact),
    }
