"""What people type about redacted copies."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms

from archive.records.people.models import Student
from archive.records.text import LineField, LinesField

from .deeds import PassageFacts
from .models import TYPED_BASES, Basis
from .sound import How

_PLACE: Final = re.compile(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,4}):)?([0-9]{1,5})(?:[.,]([0-9]{1,3}))?", re.ASCII)


class PlaceField(LineField):
    """A place in a recording to the millisecond, typed as h:mm:ss.mmm; less of it is enough."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=16, **options)

    def clean(self, value: Any) -> Any:
        """Return it in milliseconds, or None where nothing was typed."""
        text = super().clean(value)
        if not text:
            return None
        found = _PLACE.fullmatch(text)
        if found is None:
            raise forms.ValidationError("Write it as h:mm:ss or h:mm:ss.mmm, for example 0:42:10.500.")
        hours, minutes, seconds = (int(one or 0) for one in found.groups()[:3])
        return (hours * 3600 + minutes * 60 + seconds) * 1000 + int((found[4] or "0").ljust(3, "0"))


class BeginForm(forms.Form):
    """A redacted copy that is begun."""

    purpose = LineField(
        max_length=200, label="What it is for", help_text="As lists call it: “copy for the parents of S-17”."
    )
    student = forms.ModelChoiceField(
        Student.objects.none(),
        required=False,
        empty_label="nobody's: it is only handed out",
        label="For the parents of",
        help_text="Once it is signed off, they hear silence in its passages, by a link and at the kiosk as well, and "
        "what is filed under no meeting of this student is left out.",
    )


class PassageForm(forms.Form):
    """What is left out, and why."""

    first = PlaceField(label="From", help_text="h:mm:ss.mmm into the recording; the thousandths may be left away.")
    last = PlaceField(required=False, label="To", help_text="Empty: to the end.")
    how = forms.ChoiceField(
        choices=[(How.MUTE.value, "silence"), (How.TONE.value, "a quiet tone, so that a listener knows")],
        initial=How.TONE.value,
        widget=forms.RadioSelect,
        label="What is heard instead",
    )
    basis = forms.ChoiceField(
        choices=[(one.value, one.label) for one in TYPED_BASES], widget=forms.RadioSelect, label="Legal basis"
    )
    reason = LinesField(
        rows=2,
        max_length=2000,
        label="Reason",
        help_text="It stands in the exemption log, not in what is handed out.",
    )

    def facts(self, rate: int) -> PassageFacts:
        """Return what was typed, in frames of `rate` a second: the begin cut off, the end rounded up."""
        typed = self.cleaned_data
        return PassageFacts(
            first=typed["first"] * rate // 1000,
            last=None if typed["last"] is None else -(-typed["last"] * rate // 1000),
            how=How(typed["how"]),
            basis=Basis(typed["basis"]),
            reason=typed["reason"],
        )


class SignOffForm(forms.Form):
    """A second listener's word."""

    listened = forms.BooleanField(
        label="I listened to all of it myself. Nothing that must be left out is heard, and nothing else is missing."
    )


class ReasonForm(forms.Form):
    """Why it is withdrawn."""

    reason = LinesField(rows=2, max_length=2000, label="Reason")
