"""Letters as tagged PDF, from the same HTML that the page shows."""

from __future__ import annotations

from archive.records.pdf import tagged_pdf

from .models import Letter


def letter_pdf(letter: Letter) -> bytes:
    """Return the letter as a PDF file."""
    return tagged_pdf("letters/print.html", {"letter": letter, "paragraphs": paragraphs(letter.body)})


def paragraphs(body: str) -> list[str]:
    """Return the paragraphs of a merged text."""
    return [one.strip() for one in body.split("\n\n") if one.strip()]
