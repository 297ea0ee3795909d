"""What people type for the lists."""

from __future__ import annotations

from django import forms
from django.utils import timezone

from archive.records.people.models import Language
from archive.records.text import DayField, LineField, LinesField


class HoldingForm(forms.Form):
    """A type of records, and where it is."""

    what = LineField(
        required=False,
        max_length=200,
        label="Type of records",
        help_text="As a parent would say it. Empty: what this archive holds, whose types it knows itself.",
    )
    location = LineField(max_length=200, label="Where", help_text="Building and room, or the system that holds them.")
    keeper = LineField(max_length=200, label="Whom to ask", help_text="A position or an office.")


class PositionForm(forms.Form):
    """Somebody's position."""

    position = LineField(max_length=120, label="Position", help_text="It stands on a public list (34 CFR 300.623(d)).")


class TrainingForm(forms.Form):
    """Somebody's training."""

    held_on = DayField(label="Trained on", initial=timezone.localdate)
    what = LineField(max_length=200, label="In what, and by whom")

    def clean_held_on(self) -> object:
        """Refuse a day to come."""
        day = self.cleaned_data["held_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is still to come.")
        return day


class AnswerForm(forms.Form):
    """An answer to a request for public records."""

    recipient = LineField(max_length=200, label="To", help_text="Who asked.")
    received_on = DayField(label="Received on", initial=timezone.localdate)
    asked = LinesField(
        rows=3,
        max_length=2000,
        label="What was asked for",
        help_text="In the words of the request. Name no student: an answer says of nobody that there are records.",
    )
    language = forms.ChoiceField(choices=Language.choices, initial=Language.ENGLISH, label="Language of the letter")

    def clean_received_on(self) -> object:
        """Refuse a day to come."""
        day = self.cleaned_data["received_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is still to come.")
        return day
