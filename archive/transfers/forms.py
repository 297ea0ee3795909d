"""What people type about an evidence package of another archive."""

from __future__ import annotations

from typing import Final

from django import forms
from pydantic import ValidationError

from appliance.contract.keys import KeyRing
from appliance.contract.problems import explain
from archive.records.text import LineField, LinesField

from .models import NAME_LENGTH
from .upload_deeds import Said

_RING: Final = 16_000
"""Most characters of a key ring for one recording; a form holds no more (archive/core/uploads.py)."""


class AnnounceForm(forms.Form):
    """Whose package it is, with which keys it is checked, and how both came."""

    district = LineField(
        max_length=NAME_LENGTH, label="Which district's archive is it from?", help_text="Its name, as its letters say."
    )
    key_ring = LinesField(
        rows=4,
        max_length=_RING,
        label="Key ring of that archive",
        help_text="The text of keyring.json, which 'plainsight-archive keyring --recording ID' prints there.",
    )
    came_by = LinesField(
        rows=3,
        max_length=4000,
        label="Who handed over what, and how?",
        help_text="Who sent the package and who the key ring, when, and by which ways.",
    )
    apart = forms.BooleanField(
        label="The key ring came by another way than the package",
        help_text="Whoever changed the package could have changed a key ring beside it as well.",
    )

    def clean_key_ring(self) -> KeyRing:
        """Return the key ring, which names an archive."""
        try:
            ring = KeyRing.model_validate_json(self.cleaned_data["key_ring"])
        except ValidationError as error:
            raise forms.ValidationError(f"This is no key ring: {explain(error)}. Paste all of keyring.json.") from None
        if not ring.archives:
            raise forms.ValidationError(
                "No archive's key is in it; ask the other archive for the key ring that its command prints."
            )
        return ring

    def said(self) -> Said:
        """Return what was typed."""
        typed = self.cleaned_data
        return Said(typed["district"], typed["key_ring"], typed["came_by"])
