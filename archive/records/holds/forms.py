"""What people type about holds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.access.scopes import Reach, recordings_in
from archive.recordings.models import Recording
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import outside_in
from archive.records.people.choices import StudentChoice
from archive.records.text import DayField, LineField, LinesField

from .deeds import MatterFacts
from .models import Matter


class MatterForm(forms.Form):
    """A matter."""

    title = LineField(max_length=200, label=_("What it is called"), help_text=_("As your colleagues will look for it."))
    reason = LinesField(
        rows=3,
        max_length=4000,
        label=_("Reason"),
        help_text=_("Why nothing of it may be destroyed: a lawsuit, a complaint."),
    )
    owner = LineField(max_length=200, label=_("Who answers for it"), help_text=_("Whoever is asked before it ends."))
    valid_from = DayField(label=_("Since"), initial=timezone.localdate)
    valid_until = DayField(
        label=_("Look at it again on"),
        required=False,
        help_text=_("A reminder. The hold goes on until somebody ends it."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def facts(self) -> MatterFacts:
        """Return what was typed."""
        return MatterFacts(**{name: value for name, value in self.cleaned_data.items() if name != "version"})


class HoldForm(forms.Form):
    """What a matter holds besides."""

    student = StudentChoice(
        label=_("All recordings of a student"),
        required=False,
        help_text=_("The student number, or the whole name. Recordings to come are held as well."),
    )
    recordings = LinesField(
        required=False, rows=3, max_length=10_000, label=_("Recordings"), help_text=_("Their identifiers, one a line.")
    )

    def __init__(self, *args: Any, reach: Reach, **options: Any) -> None:
        """Take what whoever sends it reaches."""
        super().__init__(*args, **options)
        self._reach = reach

    def clean_recordings(self) -> list[Recording | OutsideRecording]:
        """Return the recordings, those that a box made and those that were brought, as far as they are reached."""
        named = self.cleaned_data["recordings"].split()
        box, brought = recordings_in(self._reach), outside_in(self._reach)
        found: dict[str, Recording | OutsideRecording] = {
            row.pk: row for row in Recording.objects.filter(box, pk__in=named)
        }
        found |= {row.pk: row for row in OutsideRecording.objects.filter(brought, pk__in=named)}
        for one in named:
            if one not in found:
                raise forms.ValidationError(_("There is no recording “%(one)s” here.") % {"one": one[:40]})
        return list(found.values())

    def clean(self) -> dict[str, Any]:
        """Ask for one of both."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("student") and not cleaned.get("recordings"):
            self.add_error("student", _("Name a student, or recordings."))
        return cleaned


class ChooseForm(forms.Form):
    """The matter that shall hold a recording."""

    matter = forms.ModelChoiceField(
        Matter.objects.filter(released_at=None), widget=forms.RadioSelect, empty_label=None, label=_("Matter")
    )


class ReleaseForm(forms.Form):
    """Why a hold ends."""

    reason = LinesField(rows=3, max_length=4000, label=_("Reason"), help_text=_("Who said so, and on what ground."))
