"""Checking a sealed recording again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from archive.access.requests import actor
from archive.recordings.verification import VERDICTS, verify_again
from archive.ui import words

from .copies import sealed

_HEADINGS = {
    "intact": "Verified: intact",
    "interrupted": "Verified: intact, of an interrupted recording",
    "incomplete": "Verified: intact, of a recording that its box never closed",
    "not-pinned": "Not verified: no known key vouches for it",
    "wrong-key": "Not verified to the end: the archive's key is not that of this recording",
    "tampered": "Not verified: something does not hold",
    "not-a-package": "Not verified: the package is destroyed",
}
_BAD = {"not-pinned", "wrong-key", "tampered", "not-a-package"}


@require_POST
def verify(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Check the package with the archive's keys, enter the verdict, and show what was checked."""
    row = sealed(recording)
    report = verify_again(row, actor(request))
    expected = report.verdict == VERDICTS[row.outcome]
    problem = report.problem
    if not expected and not problem and report.verdict != "not-pinned":
        problem = f"the archive's own record says {row.outcome}, and the package {report.verdict}"
    told = report.verdict if expected or report.verdict in _BAD else "tampered"
    context = {
        "place": "recording",
        "recording": row,
        "good": expected,
        "heading": _HEADINGS[told],
        "report": report,
        "problem": problem,
        "notice": words.NOTICE,
    }
    return render(request, "ui/verified.html", context)
