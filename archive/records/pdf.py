"""Tagged PDF files (PDF/UA-1) from the same HTML that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from .errors import DeedError


def tagged_pdf(template: str, context: Mapping[str, Any]) -> bytes:
    """Return a template as a PDF file; nothing is fetched from anywhere while it is made."""
    from weasyprint import HTML  # noqa: PLC0415 - it is large, and only what is printed needs it

    html = render_to_string(template, dict(context))
    data = HTML(string=html, url_fetcher=_nothing).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(data, bytes)  # noqa: S101 - told to the type checker
    return data


def _nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    raise DeedError(f"What is printed may not fetch {url[:60]!r}.")
