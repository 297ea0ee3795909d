"""Checking a sealed recording again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from appliance.contract import ledger
from archive.access.requests import actor
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.recording_state import RecordingState, recording_state
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
_SEGMENT = re.compile(r"data/segments/(\d{8})\.age")
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
    # without the key nobody can hear the audio, so nobody can say that it is intact
    deaf = expected and recording_state(row) == RecordingState.KEY_GONE
    entries = read_ledger(row).entries
    context = {
        "place": "recording",
        "recording": row,
        "good": expected,
        "deaf": deaf,
        "sign": "attention" if deaf else "ready" if expected else "at-fault",
        "heading": "Package intact; its audio was not checked" if deaf else _HEADINGS[told],
        "called": heading(row, entries),
        "report": report,
        "problem": problem,
        "damaged": _damaged(problem, entries, row.rate),
        "notes": [note for note in report.notes if not (deaf and "was not opened" in note)],
        "notice": words.NOTICE,
    }
    return render(request, "ui/verified.html", context)


def _damaged(problem: str, entries: Sequence[ledger.Entry], rate: int) -> str:
    """Return which part of the audio a problem is about, as a sentence, where it names a segment."""
    named = _SEGMENT.search(problem)
    found = [
        entry.fact
        for entry in entries
        if named and isinstance(entry.fact, ledger.Segment) and entry.fact.segment == int(named[1])
    ]
    if not found:
        return ""
    first, last = found[0].first_frame / rate, (found[0].first_frame + found[0].frames) / rate
    return f"The audio from {words.clock_time(first)} to {words.clock_time(last)} is damaged."
