"""Tagged PDF files (PDF/UA-1) from the same HTML that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string


def tagged_pdf(template: str, context: Mapping[str, Any]) -> bytes:
    """Return a template as a PDF file; nothing is fetched from anywhere while it is made."""
    return pdf_of(render_to_string(template, dict(context)))


def pdf_of(html: str) -> bytes:
    """Return a page as a PDF file; pictures stand in it as data.

    Nothing but what stands in the page itself is fetched: anything else is a defect of a template, a ValueError.
    """
    from weasyprint import HTML, urls  # noqa: PLC0415 - it is large, and only what is printed needs it

    refused: list[str] = []

    def only_data(address: str) -> Any:
        if not address.startswith("data:"):
            refused.append(address)
            raise ValueError(f"{address} is not in the page")
        return urls.default_url_fetcher(address)

    # WeasyPrint 63 (Debian trixie) wants a function, and goes on without what was refused; later ones want an object
    newer = hasattr(urls, "URLFetcher")
    fetcher = urls.URLFetcher(allowed_protocols={"data"}, fail_on_errors=True) if newer else only_data
    fatal: tuple[type[BaseException], ...] = (urls.FatalURLFetchingError,) if newer else ()
    try:
        data = HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1")
    except fatal as error:
        # WeasyPrint makes it a BaseException
        raise ValueError(f"nothing is fetched for printing: {error}") from error
    if refused:
        raise ValueError(f"{refused[0]} is not in the page; nothing is fetched for printing")
    assert isinstance(data, bytes)  # noqa: S101 - told to the type checker
    return data
