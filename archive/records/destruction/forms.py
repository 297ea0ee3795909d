"""What people type about destruction."""

from __future__ import annotations

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.records.people.models import Language
from archive.records.text import DayField, LinesField

from .models import Basis, Reply


class ProposeForm(forms.Form):
    """Why a recording may be destroyed."""

    basis = forms.ChoiceField(choices=Basis.choices, widget=forms.RadioSelect, label=_("Why it may be destroyed"))
    asked_by = forms.ChoiceField(required=False, label=_("Asked by"), help_text=_("Only where a parent asked for it."))
    reason = LinesField(
        rows=2,
        max_length=1000,
        label=_("Reason"),
        help_text=_("As the parents are told: why the recording is no longer needed."),
    )


class TellForm(forms.Form):
    """In which language a letter is written."""

    language = forms.ChoiceField(choices=Language.choices, label=_("Language"))


class ReplyForm(forms.Form):
    """What a rights-holder answered."""

    reply = forms.ChoiceField(choices=Reply.choices, widget=forms.RadioSelect, label=_("Answer"))
    replied_on = DayField(label=_("On"), initial=timezone.localdate)
    remark = LinesField(required=False, rows=2, max_length=2000, label=_("In the person's own words"))


class WithdrawForm(forms.Form):
    """Why it is withdrawn."""

    reason = LinesField(rows=2, max_length=2000, label=_("Reason"))


class CarryOutForm(forms.Form):
    """That the reader means it: the button alone is clicked too easily."""

    understood = forms.BooleanField(label=_("I know that nobody can bring this recording back."))
