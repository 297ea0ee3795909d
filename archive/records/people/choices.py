"""Choosing a student or a person by typing a name or a number, without a list of thousands and without JavaScript."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet

from appliance.contract.errors import SettingsError
from archive.access.people import find_user

from .models import Person, Student
from .search import is_uuid

_MOST: Final = 6
"""Most names that an answer lists."""


class StudentChoice(forms.CharField):
    """A student, by number, by whole name, or by the identifier in the address of the student's page."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "The student number, or the whole name.")
        options.setdefault("max_length", 200)
        super().__init__(**options)
        self.queryset: QuerySet[Student] = Student.objects.all()
        """Students who can be chosen; the view bounds it to what its user reaches."""

    def clean(self, value: Any) -> Any:
        """Return the student."""
        text = super().clean(value)
        if not text:
            return None
        found = list(_students(self.queryset, text)[: _MOST + 1])
        if len(found) == 1:
            return found[0]
        if not found:
            raise forms.ValidationError(f"No student here is called “{text}” or has this number.")
        several = "; ".join(f"{one}, number {one.local_id or 'not known'}" for one in found[:_MOST])
        raise forms.ValidationError(f"Several students have this name. Type the number: {several}.")


class PersonChoice(forms.CharField):
    """A person, by whole name, or by the identifier on the person's page."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "The whole name.")
        options.setdefault("max_length", 200)
        super().__init__(**options)
        self.queryset: QuerySet[Person] = Person.objects.all()
        """People who can be chosen; the view bounds it to what its user reaches."""

    def clean(self, value: Any) -> Any:
        """Return the person."""
        text = super().clean(value)
        if not text:
            return None
        found = list(self.queryset.filter(pk=text) if is_uuid(text) else _called(self.queryset, text)[: _MOST + 1])
        if len(found) == 1:
            return found[0]
        if not found:
            raise forms.ValidationError(f"Nobody here is called “{text}”. Enter the person first, then come back.")
        raise forms.ValidationError(
            "Several people have this name. Open the right one's page, and copy its identifier here."
        )


class AccountChoice(forms.CharField):
    """An account: by the name that its person signs in with, its identifier, or a name that no other one has."""

    def __init__(self, **kwargs: Any) -> None:
        told = "The name that the person signs in with; or the full name, or the identifier on the account's page."
        super().__init__(max_length=200, help_text=told, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return the account."""
        text = super().clean(value)
        if not text:
            return None
        try:
            user = find_user(text)
        except SettingsError as error:
            raise forms.ValidationError(f"{error.message[:1].upper()}{error.message[1:]}.") from None
        if not user.is_active:
            raise forms.ValidationError("This account has ended.")
        return user


def shown(students: QuerySet[Student], pk: str) -> str:
    """Return what a form shows of the student with this identifier, if it is one of `students`: number or name."""
    found = students.filter(pk=pk).first() if is_uuid(pk) else None
    return found.local_id or str(found) if found else ""


def _students(rows: QuerySet[Student], text: str) -> QuerySet[Student]:
    if is_uuid(text):
        return rows.filter(pk=text)
    by_number = rows.filter(local_id__iexact=text)
    return by_number if by_number.exists() else _called(rows, text)


def _called(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return the rows of people whose whole name this is, wherever the given name ends."""
    words = text.split()
    condition = Q(given_name__iexact=text, family_name="")
    for end in range(1, len(words)):
        given, family = " ".join(words[:end]), " ".join(words[end:])
        condition |= Q(given_name__iexact=given, family_name__iexact=family)
    return rows.filter(condition)
