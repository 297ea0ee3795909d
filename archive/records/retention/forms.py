"""What people type about retention."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.records.meetings.models import MeetingKind
from archive.records.text import DayField, LineField, LinesField

from .deeds import AnswerFacts
from .models import CountsFrom


class SeriesForm(forms.Form):
    """A record series."""

    code = LineField(max_length=40, label=_("Code"), help_text=_("As the district's retention schedule has it."))
    title = LineField(max_length=200, label=_("Title"))
    kinds = forms.MultipleChoiceField(
        choices=MeetingKind.choices, widget=forms.CheckboxSelectMultiple, label=_("Recordings of")
    )


class AnswerForm(forms.Form):
    """What was decided about a series. Nothing is chosen beforehand."""

    length = forms.ChoiceField(
        choices=[("permanent", _("for good")), ("years", _("for some years"))],
        widget=forms.RadioSelect,
        label=_("Kept"),
    )
    years = forms.IntegerField(required=False, min_value=1, max_value=200, label=_("For how many years"))
    counts_from = forms.ChoiceField(
        required=False, choices=[("", _("not chosen")), *CountsFrom.choices], label=_("Counted from")
    )
    on_request = forms.ChoiceField(
        choices=[("no", _("no")), ("yes", _("yes, if the parents ask for it"))],
        widget=forms.RadioSelect,
        label=_("May it be destroyed before, at a parent's request (34 CFR 300.624(b))?"),
    )
    citation = LinesField(rows=2, max_length=2000, label=_("Citation"), help_text=_("Law, schedule and item."))
    decided_by = LineField(max_length=200, label=_("Decided by"), help_text=_("The board, the superintendent."))
    decided_on = DayField(label=_("Decided on"))
    advice = LinesField(
        rows=2,
        max_length=2000,
        label=_("On whose advice"),
        help_text=_("Counsel, the day of the letter, and where it is kept."),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the years where it is not permanent."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("length") == "years":
            for name in ("years", "counts_from"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("This is needed where it is not kept for good."))
        return cleaned

    def facts(self) -> AnswerFacts:
        """Return what was typed."""
        typed = self.cleaned_data
        permanent = typed["length"] == "permanent"
        return AnswerFacts(
            permanent=permanent,
            years=None if permanent else typed["years"],
            counts_from="" if permanent else typed["counts_from"],
            on_request=typed["on_request"] == "yes",
            citation=typed["citation"],
            decided_by=typed["decided_by"],
            decided_on=typed["decided_on"],
            advice=typed["advice"],
        )
