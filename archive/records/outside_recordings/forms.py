"""What people type about recordings that no box made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone

from archive.access.scopes import Reach
from archive.records.meetings.describe import title
from archive.records.meetings.models import Meeting
from archive.records.people.search import reached
from archive.records.text import LineField, LinesField, day_input, time_input

from .models import Origin, OutsideRecording
from .rules import Statement

_NEAR: Final = timedelta(days=3)
"""How far around the day that was said meetings are offered."""


class StatementForm(forms.Form):
    """What the one who brings it says about it."""

    origin = forms.ChoiceField(choices=Origin.choices, label="How was it made?")
    made_on = forms.DateField(label="On which day?", widget=day_input())
    made_at = forms.TimeField(
        required=False, label="When did it begin?", widget=time_input(), help_text="Empty if nobody knows."
    )
    place = LineField(max_length=200, label="Where?", help_text="A site, a room, or the name of the video conference.")
    made_by = LineField(max_length=200, label="Who made it?", help_text="Name and part in the meeting.")
    made_with = LineField(
        max_length=200, label="With what?", help_text="The device or the program, as exactly as known."
    )
    since = LinesField(
        rows=3,
        max_length=4000,
        label="What was done with it since?",
        help_text="Where it was kept, who could reach it, whether it was copied, converted or cut. "
        "“Nothing, it is the file as it was made” if that is so.",
    )
    brought_by = LineField(
        max_length=200, label="Who brings it and says this?", help_text="Name and part in the meeting."
    )
    brought_on = forms.DateField(label="Brought on", widget=day_input(), initial=timezone.localdate)
    of_the_district = forms.BooleanField(
        label="It was made for the district, and is no parent's own recording",
        help_text="A parent's recording stays the parent's: the archive never takes one in.",
    )

    def said(self) -> Statement:
        """Return what was typed."""
        typed: dict[str, Any] = {name: value for name, value in self.cleaned_data.items() if name != "of_the_district"}
        return Statement(**typed | {"origin": Origin(typed["origin"])})


class FileUnderForm(forms.Form):
    """The meeting that it is of."""

    meeting = forms.ChoiceField(widget=forms.RadioSelect, label="Meeting")

    def __init__(self, row: OutsideRecording, reach: Reach, data: Any = None) -> None:
        super().__init__(data)
        near = Meeting.objects.select_related("student", "room").filter(
            reached(reach, "student"),
            starts_at__date__gte=row.made_on - _NEAR,
            starts_at__date__lte=row.made_on + _NEAR,
        )
        self._meetings = {str(one.pk): one for one in near}
        field = self.fields["meeting"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to the type checker
        field.choices = [(pk, f"{one.student}: {title(one)}") for pk, one in self._meetings.items()]

    def clean_meeting(self) -> Meeting:
        """Return the meeting."""
        return self._meetings[self.cleaned_data["meeting"]]


class ReasonForm(forms.Form):
    """Why."""

    reason = LinesField(rows=2, max_length=2000, label="Reason")
