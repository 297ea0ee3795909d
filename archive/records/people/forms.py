"""What people type about people."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django import forms
from django.utils import timezone

from archive.core.uploads import UploadField
from archive.records.text import DayField, LineField, LinesField

from .choices import AccountChoice, PersonChoice
from .models import Language, PersonKind, RightKind, School, Student

_LONGEST: Final = 100


class StudentForm(forms.Form):
    """A student's data."""

    given_name = LineField(max_length=_LONGEST, label="Given name")
    family_name = LineField(max_length=_LONGEST, label="Family name", required=False)
    local_id = LineField(max_length=60, label="Student number", required=False, help_text="The district's own number.")
    birth_date = DayField(label="Date of birth", required=False)
    school = forms.ModelChoiceField(School.objects.all(), required=False, empty_label="not known")
    left_on = DayField(label="Left the district on", required=False, help_text="The records stay.")
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class PersonForm(forms.Form):
    """A person's data."""

    given_name = LineField(max_length=_LONGEST, label="Given name")
    family_name = LineField(max_length=_LONGEST, label="Family name", required=False)
    kind = forms.ChoiceField(choices=PersonKind.choices, label="Role")
    position = LineField(max_length=120, required=False, help_text="Only for staff.")
    email = forms.EmailField(required=False, label="E-mail", help_text="Letters may go there; nobody signs in with it.")
    phone = LineField(max_length=40, required=False)
    address = LinesField(required=False, rows=3, label="Postal address")
    language = forms.ChoiceField(choices=Language.choices, help_text="Letters and pages are in this language.")
    interpreter = LineField(
        max_length=120, required=False, label="Needs an interpreter", help_text="Language and mode, or leave it empty."
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class WorkAccountForm(forms.Form):
    """With which account a person works here."""

    user = AccountChoice(label="Account at work", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class _Span(forms.Form):
    """From one day to another."""

    valid_from = DayField(label="From", initial=timezone.localdate)
    valid_to = DayField(label="To", required=False, help_text="Leave it empty where no end is known.")

    def clean(self) -> dict[str, Any]:
        """Hold the days against each other."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("valid_from"), cleaned.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", "This day is before the first one.")
        return cleaned


class RightForm(_Span):
    """Rights of a person over a student's records."""

    person = PersonChoice(label="Person")
    kind = forms.ChoiceField(choices=RightKind.choices, label="On what ground")
    basis = LinesField(
        rows=2,
        max_length=2000,
        label="Basis",
        help_text="The document that shows it: birth certificate, order, letter.",
    )
    named_by = PersonChoice(
        label="Named by",
        required=False,
        help_text="Only for an agent: the whole name of the parent who named them. The agent's rights end with that "
        "parent's.",
    )
    field_order = ("person", "kind", "named_by", "basis", "valid_from", "valid_to")


class BarForm(_Span):
    """A court order that bars a person."""

    person = PersonChoice(label="Person")
    basis = LinesField(rows=2, max_length=2000, label="Court order", help_text="Court, date and number.")
    field_order = ("person", "basis", "valid_from", "valid_to")


class EndForm(forms.Form):
    """The last day of rights or of a bar."""

    valid_to = DayField(label="Last day", initial=timezone.localdate)
    shown = DayField(widget=forms.HiddenInput, required=False)
    """The end that stood there when the page was made."""


class MajorityForm(forms.Form):
    """What follows from the 18th birthday."""

    decision = LinesField(
        rows=3,
        max_length=2000,
        label="What was decided, and on what basis",
        help_text="For example: the student holds the rights now; or a court appointed a guardian, with its order.",
    )
    on = DayField(label="Decided on", initial=timezone.localdate)

    def clean_on(self) -> date:
        """Refuse a day to come."""
        day: date = self.cleaned_data["on"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is still to come.")
        return day


class RosterForm(forms.Form):
    """A roster."""

    file = UploadField(
        label="Roster",
        help_text="A CSV file in UTF-8, or a OneRoster 1.1 or 1.2 export (ZIP). Nothing changes before you have seen "
        "the difference.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.zip"}),
        error_messages={"too-large": "The file is larger than {most} MB; split it by school."},
    )

    def clean_file(self) -> bytes:
        """Return its bytes."""
        data: bytes = self.cleaned_data["file"].read()
        return data


class SearchForm(forms.Form):
    """Finding somebody."""

    q = LineField(
        max_length=_LONGEST, required=False, label="Name or number", widget=forms.TextInput({"type": "search"})
    )


def student_initial(student: Student) -> dict[str, Any]:
    """Return what the form shows of a student."""
    names = ("given_name", "family_name", "local_id", "birth_date", "school", "left_on", "version")
    return {name: getattr(student, name) for name in names}
