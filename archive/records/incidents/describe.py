"""What pages say of an incident record."""

from __future__ import annotations

from archive.ui import words

from .models import Incident
from .rules import CAUSES


def cause_words(code: str) -> str:
    """Return a cause in words: people's own, or the box's."""
    return CAUSES.get(code) or words.fault(code)


def facts_of(row: Incident) -> list[tuple[str, str]]:
    """Return what it says, as pairs."""
    found = row.found or "Nothing: no recording is there that could tell."
    return [
        ("Missing", str(row.get_missing_display())),
        ("What the archive knew then", found),
        ("Cause", cause_words(row.cause)),
        ("What happened", row.explanation),
        ("Who was told", row.told),
        ("What was done", row.done),
    ]
