"""What people type about transcripts."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.core.uploads import UploadField
from archive.records.text import LineField, LinesField

from .deeds import Facts
from .models import Language, Source
from .webvtt import MOST_BYTES

_SHIFT: Final = re.compile(r"(-?)(\d{1,2}):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?")


class BringForm(forms.Form):
    """A transcript that somebody has."""

    file = UploadField(
        most=MOST_BYTES,
        label="File",
        help_text="WebVTT in UTF-8 (.vtt). Words and times are kept; styles and positions are left out.",
        widget=forms.FileInput(attrs={"accept": ".vtt,text/vtt"}),
    )
    source = forms.ChoiceField(
        choices=[one for one in Source.choices if one[0] != Source.MACHINE],
        widget=forms.RadioSelect,
        label="How it came about",
    )
    maker = LineField(max_length=200, label="Who wrote it", help_text="The person or the service, as copies name it.")
    language = forms.ChoiceField(choices=Language.choices, label="Language")
    shift = forms.CharField(
        initial="0:00:00",
        max_length=16,
        label="Where the file's 0:00 is in the recording",
        help_text="h:mm:ss. With a minus sign if the file began before the recording.",
    )

    def clean_file(self) -> bytes:
        """Return its bytes."""
        data: bytes = self.cleaned_data["file"].read()
        return data

    def clean_shift(self) -> int:
        """Return it in milliseconds."""
        found = _SHIFT.fullmatch(self.cleaned_data["shift"].strip())
        if found is None:
            raise forms.ValidationError("Write it as h:mm:ss, for example 0:02:10, or -0:00:05.")
        hours, minutes, seconds = (int(part) for part in found.groups()[1:4])
        ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[5] or "").ljust(3, "0"))
        return -ms if found[1] else ms

    def facts(self) -> Facts:
        """Return what was said about it."""
        typed = self.cleaned_data
        return Facts(Source(typed["source"]), Language(typed["language"]), typed["maker"])


class AnswerForm(forms.Form):
    """Who answers for a transcript."""

    name = LineField(
        max_length=200,
        label="Your name and position",
        help_text="As every copy of the transcript names whoever answers for it.",
    )
    compared = forms.BooleanField(label="I listened to the whole recording and compared it with this transcript.")


class SetAsideForm(forms.Form):
    """Why a transcript is set aside."""

    reason = LinesField(rows=2, max_length=2000, label="Reason", help_text="Why it is not of this recording.")


class SearchForm(forms.Form):
    """What is looked for in a transcript."""

    words = LineField(required=False, max_length=100, label=_("Find in the transcript"))

    def wanted(self) -> str:
        """Return what is looked for, or nothing."""
        found: Any = self.cleaned_data.get("words", "") if self.is_valid() else ""
        return str(found)
