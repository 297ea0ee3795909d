"""What people choose by."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.devices.models import Box
from archive.rooms.models import Room
from archive.ui import words

from .models import Recording, State

_STATES: Final = [("", _("all")), *((state.value, words.STATES[state.value]) for state in State)]
_FILTERS: Final = {
    "since": "listed_at__gte",
    "until": "listed_at__lt",
    "room": "room",
    "box": "box",
    "state": "state",
    "id": "id__startswith",
}
"""Field of the form: what it asks of a recording. Days are moments of the site's time zone, so that an index serves."""


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class RecordingFilter(forms.Form):
    """Which recordings a list shows. A choice that makes no sense shows none, and says so at its field."""

    since = forms.DateField(required=False, label=_("From"), widget=_day())
    until = forms.DateField(required=False, label=_("To"), widget=_day())
    room = forms.ModelChoiceField(Room.objects.all(), required=False, label=_("Room"), empty_label=_("all"))
    box = forms.ModelChoiceField(
        Box.objects.filter(elsewhere=False), required=False, label=_("Box"), empty_label=_("all")
    )
    state = forms.ChoiceField(choices=_STATES, required=False, label=_("State"))
    id = forms.RegexField(
        r"^[0-9a-f]{1,32}$",
        required=False,
        label=_("Identifier"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "32", "size": "12"}),
        error_messages={"invalid": _("An identifier has only the digits 0 to 9 and a to f; its beginning is enough.")},
    )

    def apply(self, rows: QuerySet[Recording]) -> QuerySet[Recording]:
        """Return the chosen ones of `rows`."""
        if not self.is_valid():
            return rows.none()
        chosen = {_FILTERS[name]: value for name, value in self._moments().items() if value}
        return rows.filter(**chosen)

    def _moments(self) -> dict[str, Any]:
        """Return what was typed, with the first day as its begin and the last one as its end."""
        typed = dict(self.cleaned_data)
        for name, later in (("since", timedelta(0)), ("until", timedelta(days=1))):
            if typed[name]:
                # what no recording is from is as good as the nearest day that every zone knows
                day = min(max(typed[name], date(1900, 1, 1)), date(9000, 1, 1))
                typed[name] = timezone.make_aware(datetime.combine(day + later, time()))
        return typed
