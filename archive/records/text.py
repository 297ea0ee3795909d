"""What people type or a roster says, in the one form in which it is kept."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any, Final

from django import forms

HIDDEN: Final = {"Cc", "Cf", "Co", "Cs", "Cn"}
"""Unicode categories that show nothing, or turn the direction of what follows."""
JOINERS: Final = {"\u200c", "\u200d"}
"""Needed to write some names rightly."""
_PARTS: Final = 3
"""Hours, minutes, seconds."""
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the begin of a formula (OWASP, CSV injection)."""


def line(text: str) -> str:
    """Return one line of text in Unicode NFC, white space joined; raise ValueError for what nobody can see."""
    joined = " ".join(unicodedata.normalize("NFC", text).split())
    for one in joined:
        if one not in JOINERS and unicodedata.category(one) in HIDDEN:
            raise ValueError(f"it holds a character that nobody can see (U+{ord(one):04X}); type it again without it")
    return joined


def lines(text: str) -> str:
    """Return several lines of text, each as `line` has it, without empty ones at the ends."""
    return "\n".join(line(one) for one in text.strip().splitlines())


def cell(text: str) -> str:
    """Return `text` for a cell of a CSV file, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def check_century(day: date) -> None:
    """Raise ValidationError for a day that nothing here can be of: a slip, or one with which nobody can count."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise forms.ValidationError(f"Enter a day between {FIRST_YEAR} and {LAST_YEAR}.")


class LineField(forms.CharField):
    """One line that a person types."""

    def clean(self, value: Any) -> Any:
        """Return it as `line` has it."""
        cleaned = super().clean(value)
        try:
            return line(cleaned)
        except ValueError as error:
            raise forms.ValidationError(str(error).capitalize()) from None


class LinesField(forms.CharField):
    """Several lines that a person types."""

    def __init__(self, *, rows: int = 4, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), **options)

    def clean(self, value: Any) -> Any:
        """Return them as `lines` has them."""
        cleaned = super().clean(value)
        try:
            return lines(cleaned)
        except ValueError as error:
            raise forms.ValidationError(str(error).capitalize()) from None


def day_input() -> forms.DateInput:
    """Return the widget for a day."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day that a person types, of a century that records can be of: what is beyond cannot be counted with."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_validators = [check_century]  # noqa: RUF012 - the base class declares no class variable


def time_input() -> forms.TimeInput:
    """Return the widget for a time of day."""
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class OffsetField(LineField):
    """A place in a recording, typed as h:mm:ss."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=12, **options)

    def clean(self, value: Any) -> Any:
        """Return it in seconds, or None where nothing was typed."""
        text = super().clean(value)
        if not text:
            return None
        parts = text.split(":")
        if len(parts) > _PARTS or not all(part.isdecimal() for part in parts):
            raise forms.ValidationError("Write it as h:mm:ss, for example 0:42:10.")
        seconds = 0
        for part in parts:
            seconds = seconds * 60 + int(part)
        return seconds
