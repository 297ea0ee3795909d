"""Tagged PDF files (PDF/UA-1) from the same HTML that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string


def tagged_pdf(template: str, context: Mapping[str, Any]) -> bytes:
    """Return a template as a PDF file; nothing is fetched from anywhere while it is made."""
    return pdf_of(render_to_string(template, dict(context)))


def pdf_of(html: str) -> bytes:
    """Return a page as a PDF file; pictures stand in it as data."""
    from weasyprint import HTML  # noqa: PLC0415 - it is large, and only what is printed needs it
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 - the same

    # nothing but what stands in the page itself is fetched; anything else stops the printing
    data = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)).write_pdf(
        pdf_variant="pdf/ua-1"
    )
    assert isinstance(data, bytes)  # noqa: S101 - told to the type checker
    return data
