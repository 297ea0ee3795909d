"""What people type about letters."""

from __future__ import annotations

from django import forms
from django.utils import timezone

from archive.records.people.models import Language
from archive.records.text import DayField, LineField, LinesField

from .models import LetterKind


class TextForm(forms.Form):
    """A new version of a text."""

    kind = forms.ChoiceField(choices=LetterKind.choices)
    language = forms.ChoiceField(choices=Language.choices)
    subject = LineField(max_length=200, label="Heading")
    body = LinesField(
        rows=18, max_length=20_000, label="Text", help_text="Paragraphs, with placeholders such as {{ student }}."
    )


class DeliveryForm(forms.Form):
    """How a letter was delivered."""

    how = LineField(max_length=120, label="How", help_text="By mail, by hand, by e-mail, with the interpreter.")
    day = DayField(label="On", initial=timezone.localdate)

    def clean_day(self) -> object:
        """Refuse a day to come."""
        day = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is still to come.")
        return day
