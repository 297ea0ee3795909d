"""What people choose by."""

from __future__ import annotations

from typing import Final

from django import forms
from django.db.models import QuerySet

from archive.devices.models import Box
from archive.rooms.models import Room
from archive.ui import words

from .models import Recording, State

_STATES: Final = [("", "all"), *((state.value, words.STATES[state.value]) for state in State)]


class RecordingFilter(forms.Form):
    """Which recordings a list shows. A choice that makes no sense shows none, and says so at its field."""

    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label="all")
    box = forms.ModelChoiceField(Box.objects.all(), required=False, empty_label="all")
    state = forms.ChoiceField(choices=_STATES, required=False)

    def apply(self, rows: QuerySet[Recording]) -> QuerySet[Recording]:
        """Return the chosen ones of `rows`."""
        if not self.is_valid():
            return rows.none()
        return rows.filter(**{name: value for name, value in self.cleaned_data.items() if value})
