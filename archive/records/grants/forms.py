"""What people type about access."""

from __future__ import annotations

from django import forms

from archive.records.people.choices import AccountChoice, StudentChoice
from archive.records.text import DayField, LineField, LinesField

from .deeds import AccessFacts

WHAT = [
    ("look", "see the recordings and their facts"),
    ("listen", "the same, and listen"),
    ("copy", "the same, and take copies"),
]


class AccessForm(forms.Form):
    """Access to a student's recordings."""

    student = StudentChoice(label="Student")
    user = AccountChoice(label="Account")
    what = forms.ChoiceField(choices=WHAT, widget=forms.RadioSelect, label="May", initial="listen")
    purpose = LinesField(
        rows=2, max_length=1000, label="Purpose", help_text="The legitimate educational interest (34 CFR 99.31(a)(1))."
    )
    position = LineField(max_length=120, label="Position", help_text="As the public list names it (34 CFR 300.623(d)).")
    trained_on = DayField(label="Trained in confidentiality on", help_text="34 CFR 300.623(c).")
    until = DayField(label="Last day")

    def facts(self) -> AccessFacts:
        """Return what was typed."""
        return AccessFacts(**{name: self.cleaned_data[name] for name in self.base_fields})


class ReviewForm(forms.Form):
    """The review of a quarter."""

    looked_at = forms.BooleanField(label="I looked at each grant above, and ended what is no longer needed.")
    remarks = LinesField(required=False, rows=3, max_length=2000)
