"""The receipt for what was handed over (34 CFR 99.32): one paper in both languages, signed once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from archive.ui import words

from .words import redisclosure_notice


def receipt_html(row: Any) -> str:
    """Return the receipt of a disclosure, `row`, of which a whole copy was taken out."""
    # the row has them as the paper in the file has them in English
    silent = [one.split(" to ") for one in row.silent.split(", ") if one]
    parts = []
    for language in words.PAPER_LANGUAGES:
        with translation.override(language):
            context = {
                "row": row,
                "silent": silent,
                "district": settings.ARCHIVE.records.district,
                "contact": words.contact(settings.ARCHIVE.site.contact),
                "redisclosure": redisclosure_notice(),
                "notice": words.notice(),
            }
            parts.append((language, render_to_string("papers/receipt_part.html", context)))
    heads = {
        "title": words.in_both(lambda: _("Receipt for a copy of a recording"), " / "),
        "signed": words.in_both(lambda: _("Received by (name, signature, day)"), " / "),
    }
    return render_to_string("papers/receipt.html", {"parts": parts, **heads})
