"""What people type about requests and amendments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.records.letters.models import LetterKind
from archive.records.people.choices import PersonChoice, StudentChoice
from archive.records.text import DayField, LineField, LinesField
from archive.ui.words import day

from .models import AmendmentState, NoHearing, Wish
from .rules import WAIT, Due


class _Received(forms.Form):
    received_on = DayField(label="Received on", initial=timezone.localdate)

    def clean_received_on(self) -> object:
        """Refuse a day to come."""
        day = self.cleaned_data["received_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("This day is still to come.")
        return day


class RequestForm(_Received):
    """An access request."""

    student = StudentChoice(label="Student")
    person = PersonChoice(label="Asked by", help_text="Somebody who holds rights over the records; the whole name.")
    wish = forms.ChoiceField(choices=Wish.choices, widget=forms.RadioSelect, label="How")
    hearing_on = DayField(label="Hearing on", required=False, help_text="If there is one; it must be answered before.")
    explanation_asked = forms.BooleanField(required=False, label="An explanation is asked for (34 CFR 99.10(c))")
    text = LinesField(required=False, rows=2, max_length=2000, label="What is asked for")
    field_order = ("student", "person", "received_on", "wish", "hearing_on", "explanation_asked", "text")


class ExplanationForm(forms.Form):
    """An explanation."""

    explanation = LinesField(rows=3, max_length=4000, label="Who explained what")
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class CloseForm(forms.Form):
    """How a request was answered."""

    outcome = LinesField(rows=3, max_length=4000, label="How it was answered")
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)


class RequestLetterForm(forms.Form):
    """A letter about an access request."""

    kind = forms.ChoiceField(
        choices=[
            (LetterKind.ACCESS_GRANTED.value, "how the person can listen"),
            (LetterKind.EXTENSION.value, "that more time is needed, and why"),
        ],
        initial=LetterKind.ACCESS_GRANTED.value,
        widget=forms.RadioSelect,
        label="What the letter says",
    )
    text = LinesField(rows=3, max_length=4000, label="How, or why")
    answer_by = DayField(required=False, label="Answered by", help_text="Only where more time is needed.")

    def __init__(self, due: Due, *args: Any, **options: Any) -> None:
        """Make the form; `due` is by when the request must be answered in any case."""
        super().__init__(*args, **options)
        self._due = due
        self.fields["answer_by"].help_text = f"Only where more time is needed; at the latest {day(due.on)} ({due.why})."

    def clean(self) -> dict[str, Any]:
        """Hold the new day against the law's: more time never goes beyond it (34 CFR 99.10(b), 300.613(a))."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") != LetterKind.EXTENSION or "answer_by" in self.errors:
            return cleaned
        on = cleaned.get("answer_by")
        if on is None:
            self.add_error("answer_by", "Say by when the request is answered.")
        elif on < timezone.localdate():
            self.add_error("answer_by", "This day has passed.")
        elif on > self._due.on:
            self.add_error(
                "answer_by", f"The request is due on {day(self._due.on)} ({self._due.why}); no letter moves that."
            )
        return cleaned


class OpenForm(forms.Form):
    """For how long a rights-holder reaches the recordings."""

    days = forms.IntegerField(min_value=1, max_value=365, initial=14, label="For how many days")


class AmendmentForm(_Received):
    """A request to amend."""

    student = StudentChoice(label="Student")
    person = PersonChoice(label="Asked by", help_text="Somebody who holds rights over the records; the whole name.")
    recording = LineField(max_length=32, label="Recording", help_text="Its identifier, as its page shows it.")
    text = LinesField(rows=4, max_length=8000, label="What should be amended, and why")
    field_order = ("student", "person", "recording", "received_on", "text")


class StepForm(forms.Form):
    """The next step of an amendment."""

    state = forms.ChoiceField(widget=forms.RadioSelect, label="What was decided")
    words = LinesField(required=False, rows=4, max_length=8000, label="Decision, with its reasons")
    hearing_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=365,
        initial=WAIT,
        label="If it is refused: for how many days the district waits for the parent to ask for a hearing",
        help_text="From the delivery of the letter, which says so. The law sets no time: whoever asks later gets one.",
    )
    hearing_on = DayField(required=False, label="Hearing on")
    officer = LineField(
        required=False, max_length=200, label="Hearing officer", help_text="Without a direct interest in the outcome."
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, states: frozenset[AmendmentState], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to the type checker
        # how no hearing came about is asked on a page of its own
        shown = [one for one in AmendmentState if one in states and one != AmendmentState.NO_HEARING]
        moved = {AmendmentState.HEARING: "the hearing is on another day, or before another officer"}
        held = AmendmentState.HEARING_AMENDED in states
        field.choices = [(one.value, moved.get(one, one.label) if held else one.label) for one in shown]
        if AmendmentState.REFUSED not in states:
            del self.fields["hearing_days"]
        if AmendmentState.HEARING not in states:
            del self.fields["hearing_on"], self.fields["officer"]

    def clean(self) -> dict[str, Any]:
        """Ask for the reasons of a decision."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("state") and cleaned["state"] != AmendmentState.HEARING and not cleaned.get("words"):
            self.add_error("words", "A decision has its reasons.")
        return cleaned


class NoHearingForm(forms.Form):
    """That no hearing is asked for about a refusal."""

    why = forms.ChoiceField(widget=forms.RadioSelect, label="Why there is no hearing")
    on = DayField(label="As of", initial=timezone.localdate, help_text="The day on which it was said, or today.")
    how = LinesField(
        rows=3,
        max_length=4000,
        label="How that is known",
        help_text="Who said it to whom and in which way, or which letter gave the time and how it was delivered.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, reasons: Iterable[NoHearing], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["why"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to the type checker
        field.choices = [(one.value, one.label) for one in reasons]


class StatementForm(forms.Form):
    """A rights-holder's statement."""

    text = LinesField(rows=8, max_length=20_000, label="The statement, word for word")


class CodeForm(forms.Form):
    """The code that belongs to a one-time link."""

    code = LineField(
        max_length=20,
        label=_("Code"),
        help_text=_("Eight digits, which the school office gave you."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        """Return its digits."""
        code: str = self.cleaned_data["code"]
        return code.replace(" ", "").replace("-", "")
