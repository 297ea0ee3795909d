"""What people type about restricted passages."""

from __future__ import annotations

from django import forms

from archive.records.text import LinesField, OffsetField


class RestrictForm(forms.Form):
    """A passage."""

    first = OffsetField(label="From", help_text="h:mm:ss into the recording.")
    last = OffsetField(required=False, label="To", help_text="Empty: to the end.")
    reason = LinesField(rows=2, max_length=2000, label="Reason", help_text="Why fewer people may hear it.")


class LiftForm(forms.Form):
    """Why it may be heard again."""

    reason = LinesField(rows=2, max_length=2000, label="Reason")
