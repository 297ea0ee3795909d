"""What people type about incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from appliance.contract.amber_codes import TABLE
from archive.recordings.models import Recording
from archive.records.people.models import Language, Person
from archive.records.text import LinesField
from archive.ui.templatetags.plain import when

from .deeds import IncidentFacts
from .models import Missing
from .rules import CAUSES

_LONGEST: Final = 4000


class IncidentForm(forms.Form):
    """An incident record."""

    missing = forms.ChoiceField(choices=Missing.choices, widget=forms.RadioSelect, label="What is missing?")
    recording = forms.ChoiceField(required=False, label="Recording with gaps")
    cause = forms.ChoiceField(label="Cause")
    explanation = LinesField(
        rows=4,
        max_length=_LONGEST,
        label="What happened",
        help_text="So that somebody who was not there understands it.",
    )
    told = LinesField(
        rows=3, max_length=_LONGEST, label="Who was told", help_text="Whom, when and how; the parent first."
    )
    done = LinesField(
        rows=3,
        max_length=_LONGEST,
        label="What was done",
        help_text="For this meeting, and so that it does not happen again.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, recordings: Sequence[Recording], codes: Sequence[str], *data: Any, **options: Any) -> None:
        """Offer `recordings`, and the causes: those that the boxes reported (`codes`) first."""
        super().__init__(*data, **options)
        self._recordings = {one.pk: one for one in recordings}
        choose, cause = self.fields["recording"], self.fields["cause"]
        assert isinstance(choose, forms.ChoiceField)  # noqa: S101 - told to the type checker
        assert isinstance(cause, forms.ChoiceField)  # noqa: S101 - the same
        choose.choices = [
            ("", "none: no box recorded"),
            *((pk, when(one.listed_at)) for pk, one in self._recordings.items()),
        ]
        reported = [(one.code, one.cause) for one in TABLE if one.code in codes]
        others = [(one.code, one.cause) for one in TABLE if one.code not in codes]
        groups = [("What people say", list(CAUSES.items())), ("What a box can report", others)]
        cause.choices = [("", "Choose"), *([("What the box reported", reported)] if reported else []), *groups]

    def facts(self) -> IncidentFacts:
        """Return what was typed."""
        typed = self.cleaned_data
        return IncidentFacts(
            missing=Missing(typed["missing"]),
            recording=self._recordings.get(typed["recording"]),
            cause=typed["cause"],
            explanation=typed["explanation"],
            told=typed["told"],
            done=typed["done"],
        )


class IncidentLetterForm(forms.Form):
    """To whom the letter goes, and what it says happened."""

    person = forms.ModelChoiceField(Person.objects.none(), label="To", empty_label=None)
    language = forms.ChoiceField(
        choices=[("", "the language of the person"), *Language.choices], required=False, label="Language"
    )
    reason = LinesField(
        rows=3,
        max_length=1000,
        label="What happened",
        help_text="In the language of the letter. It follows on “is missing or has gaps:”.",
    )
