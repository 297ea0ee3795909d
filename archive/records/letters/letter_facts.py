"""What every letter says."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from archive.records.people.models import Person, Student
from archive.ui import words


def written_day(day: date, language: str) -> str:
    """Return a day as a letter in `language` writes it."""
    with translation.override(language):
        return date_format(day, "DATE_FORMAT")


_NOTICES_TO: Final = {"en": "the special-education director", "es": "la dirección de educación especial"}
"""Whom district policies of the same family name."""


def notices_to(language: str) -> str:
    """Return to whom parents give notice that they will record, as a letter in `language` says it."""
    return settings.ARCHIVE.records.notices_to or _NOTICES_TO[language]


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
