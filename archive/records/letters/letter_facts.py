"""What every letter says."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from archive.records.people.models import Person, Student
from archive.ui import words


def written_day(day: date, language: str) -> str:
    """Return a day as a letter in `language` writes it."""
    with translation.override(language):
        return date_format(day, "DATE_FORMAT")


def common(student: Student, person: Person, language: str) -> dict[str, str]:
    """Return the values of the placeholders that every letter about a student has."""
    return common_to_all(str(person), language) | {"student": str(student)}


def common_to_all(recipient: str, language: str) -> dict[str, str]:
    """Return the values of the placeholders that every letter has."""
    with translation.override(language):
        contact = words.contact(settings.ARCHIVE.site.contact)
    return {
        "district": settings.ARCHIVE.records.district,
        "date": written_day(timezone.localdate(), language),
        "recipient": recipient,
        "contact": contact,
    }
