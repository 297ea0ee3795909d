"""What is wrong with a value, in one sentence that names the member."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def location(error: ValidationError) -> str:
    """Return the dotted name of the member that `explain` names."""
    return _dotted(_first(error))


def explain(error: ValidationError, known: Iterable[str] = ()) -> str:
    """Return the first problem as `member: what is wrong`, with a suggestion where the name looks misspelled."""
    first = _first(error)
    where = _dotted(first)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(where, list(known), n=1)
        message = "there is no such name" + (f"; did you mean {close[0]!r}?" if close else "")
    elif first["type"] == "missing":
        message = "is missing"
    return f"{where}: {message}"


def _first(error: ValidationError) -> ErrorDetails:
    problems = error.errors(include_url=False)
    # a misspelled name makes another one missing, which is only its consequence
    return next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])


def _dotted(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"]) or "(whole)"
