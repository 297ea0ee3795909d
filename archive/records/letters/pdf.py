"""Letters as tagged PDF (PDF/UA-1), from the same HTML that the page shows."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from archive.records.errors import DeedError

from .models import Letter


def letter_pdf(letter: Letter) -> bytes:
    """Return the letter as a PDF file; nothing is fetched from anywhere while it is made."""
    from weasyprint import HTML  # noqa: PLC0415 - it is large, and only a letter needs it

    html = render_to_string("letters/print.html", {"letter": letter, "paragraphs": paragraphs(letter.body)})
    data = HTML(string=html, url_fetcher=_nothing).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(data, bytes)  # noqa: S101 - told to the type checker
    return data


def paragraphs(body: str) -> list[str]:
    """Return the paragraphs of a merged text."""
    return [one.strip() for one in body.split("\n\n") if one.strip()]


def _nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    raise DeedError(f"A letter may not fetch {url[:60]!r}.")
