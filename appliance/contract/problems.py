"""What is wrong with a value, in one sentence that names the member."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic import ValidationError


def location(error: ValidationError) -> str:
    """Return the dotted name of the first offending member."""
    return ".".join(str(part) for part in error.errors()[0]["loc"]) or "(whole)"


def explain(error: ValidationError, known: Iterable[str] = ()) -> str:
    """Return the first problem as `member: what is wrong`, with a suggestion where the name looks misspelled."""
    first = error.errors(include_url=False)[0]
    where = location(error)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(where, list(known), n=1)
        message = "there is no such name" + (f"; did you mean {close[0]!r}?" if close else "")
    elif first["type"] == "missing":
        message = "is missing"
    return f"{where}: {message}"
