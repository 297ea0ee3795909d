"""Texts of letters: which placeholders each kind has, and merging. Pure.

Templates are plain text with placeholders, not a programming language: what a district approves is what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from archive.records.errors import DeedError

from .models import LetterKind

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
COMMON: Final = ("district", "date", "recipient", "contact")
"""In every letter: the district, the day of the letter, to whom it goes, whom to ask."""
STUDENT: Final = "student"
"""About whom: in every letter but an answer to the public, which says of nobody that there are records."""
OF_KIND: Final[dict[LetterKind, tuple[str, ...]]] = {
    LetterKind.ACKNOWLEDGMENT: ("meeting", "received", "device"),
    LetterKind.ACCESS_GRANTED: ("received", "due", "how"),
    LetterKind.EXTENSION: ("received", "due", "reason"),
    LetterKind.REFUSAL_TO_AMEND: ("received", "reason", "days"),
    LetterKind.HEARING_AMENDED: ("received", "hearing", "reason"),
    LetterKind.HEARING_REFUSED: ("received", "hearing", "reason"),
    LetterKind.INCIDENT: ("meeting", "reason"),
    LetterKind.DESTRUCTION: ("meeting", "reason"),
    LetterKind.SUBPOENA: ("meeting", "party", "reason", "until"),
    LetterKind.TRANSFER: ("meeting", "party", "reason"),
    LetterKind.ANNUAL_NOTICE: ("officials", "notices_to"),
    LetterKind.PUBLIC_RECORDS: ("received", "asked"),
}
"""What else each kind may say."""
NEEDED: Final[dict[LetterKind, tuple[str, ...]]] = {
    LetterKind.ACKNOWLEDGMENT: ("meeting",),
    LetterKind.ACCESS_GRANTED: ("how",),
    LetterKind.EXTENSION: ("due", "reason"),
    LetterKind.REFUSAL_TO_AMEND: ("reason", "days"),
    LetterKind.HEARING_AMENDED: ("hearing", "reason"),
    LetterKind.HEARING_REFUSED: ("hearing", "reason"),
    LetterKind.INCIDENT: ("meeting", "reason"),
    LetterKind.DESTRUCTION: ("meeting", "reason"),
    LetterKind.SUBPOENA: ("meeting", "party", "until"),
    LetterKind.TRANSFER: ("meeting", "party"),
    LetterKind.ANNUAL_NOTICE: ("officials",),
    LetterKind.PUBLIC_RECORDS: ("asked",),
}
"""Without these a letter of the kind would not say what it is for."""


def placeholders(kind: LetterKind) -> tuple[str, ...]:
    """Return the placeholders of a kind."""
    about = () if kind == LetterKind.PUBLIC_RECORDS else (STUDENT,)
    return COMMON + about + OF_KIND[kind]


def check_text(kind: LetterKind, subject: str, body: str) -> None:
    """Raise DeedError that names the first placeholder that does not exist, is broken, or is missing."""
    for field, text in (("subject", subject), ("body", body)):
        names = _PLACEHOLDER.findall(text)
        if len(names) != text.count("{{") or len(names) != text.count("}}"):
            raise DeedError("A placeholder is not closed; write it as {{ student }}.", field=field)
        for name in names:
            if name not in placeholders(kind):
                known = ", ".join(f"{{{{ {one} }}}}" for one in placeholders(kind))
                raise DeedError(f"There is no {{{{ {name} }}}} in such a letter; there are: {known}.", field=field)
    for name in NEEDED[kind]:
        if name not in _PLACEHOLDER.findall(body):
            raise DeedError(f"The text does not say {{{{ {name} }}}}; such a letter must.", field="body")


def merge(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders replaced, once: what a value holds is not looked at again."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
