"""Checking a sealed recording again: asked for with a button, made by the worker, watched here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from appliance.contract import ledger
from appliance.contract.errors import DecryptionError
from appliance.contract.verification import Report
from appliance.contract.verification.report import SOUND
from archive.access.requests import actor, signed_in, user_of
from archive.access.views import place_of
from archive.core.health import is_alive
from archive.core.jobs import WORKER
from archive.keystore.recording_keys import recording_keys
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.models import Recording, Verification
from archive.recordings.recording_state import RecordingState
from archive.recordings.secrets import secret_of
from archive.recordings.state_words import explain
from archive.recordings.verification import VERDICTS, ask, report_of
from archive.ui import words
from archive.ui.templatetags.plain import contact

from .copies import sealed
from .recording import deeds_of

_HEADINGS: Final = {
    "intact": "Verified: intact",
    "interrupted": "Verified: intact, but the recording was interrupted",
    "incomplete": "Verified: intact, but its box never closed it",
    "as-brought": "Verified: as it was brought; no box made it",
    "not-pinned": "Not verified: no key that this archive knows signed it",
    "wrong-key": "Not fully verified: the key does not fit this recording",
    "tampered": "Not verified: something is wrong",
    "not-a-package": "Not verified: the package cannot be read",
}
_WITHOUT_AUDIO: Final = "Package intact; its audio was not checked"
_SEGMENT: Final = re.compile(r"data/segments/(\d{8})\.age")
_STEPS: Final = {
    "": "Waiting for the archive's worker",
    "digest": "Reading the package",
    "segments": "Checking signatures and digests",
    "audio": "Decrypting and decoding the audio",
}


@require_POST
def verify(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Ask for a check, and lead to where it is shown."""
    row = sealed(recording)
    ask(row, actor(request))
    return redirect("pages:verification", row.pk)


@require_safe
def verification(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show how far a check is, or what it found."""
    row = sealed(recording)
    kept = Verification.objects.filter(recording=row).first()
    if kept is None:
        return redirect(place_of(signed_in(request), row.pk))
    can = deeds_of(user_of(request), row)
    if kept.finished_at is None:
        context = {"place": "recordings", "recording": row, "called": heading(row, read_ledger(row).entries)}
        return render(request, "ui/verifying.html", {**context, "can": can, **_progress(kept)})
    result = _result(row, report_of(kept))
    return render(request, "ui/verified.html", {"can": can, "checked_at": kept.finished_at, **result})


@require_safe
def verification_json(_request: HttpRequest, recording: str) -> HttpResponseBase:
    """Answer with how far a check is as JSON, version 1, for the page's script."""
    kept = Verification.objects.filter(recording=sealed(recording)).first()
    return JsonResponse({"version": 1, **_progress(kept)})


def _progress(kept: Verification | None) -> dict[str, Any]:
    finished = kept is None or kept.finished_at is not None
    step, done, of = (kept.step, kept.done, kept.of) if kept is not None else ("", 0, 0)
    told = _STEPS.get(step, step)
    if not step and not is_alive(WORKER):
        told = f"The archive's worker is not running, so nothing is checked. Tell {contact()}"
    return {"finished": finished, "step": told, "done": done, "of": of}


def _result(row: Recording, report: Report) -> dict[str, Any]:
    expected = report.verdict == VERDICTS[row.outcome]
    problem = report.problem
    if not expected and report.verdict in SOUND:
        problem = f"the archive's own record says {row.outcome}, and the package {report.verdict}"
    without_audio = expected and not report.audio_md5
    told = _HEADINGS["tampered" if report.verdict in SOUND and not expected else report.verdict]
    entries = read_ledger(row).entries
    return {
        "place": "recordings",
        "recording": row,
        "good": expected and not without_audio,
        # without the key nobody can hear the audio, so nobody can say that it is intact
        "without_audio": without_audio,
        "why_no_audio": _why_no_audio(row) if without_audio else "",
        "sign": "attention" if without_audio else "ready" if expected else "at-fault",
        "heading": _WITHOUT_AUDIO if without_audio else told,
        "called": heading(row, entries),
        "report": report,
        "problem": problem,
        "damaged": _damaged(problem, entries, row.rate),
        "notes": [note for note in report.notes if not (without_audio and "was not opened" in note)],
        "notice": words.notice(),
    }


def _why_no_audio(row: Recording) -> str:
    """Return why nobody could check the audio, and what to do, as the key is now."""
    try:
        secret_of(row.pk)
    except DecryptionError:
        there = recording_keys().exists(row.pk)
        state = RecordingState.KEY_UNUSABLE if there else RecordingState.KEY_GONE
        return explain(state, problem="", contact=contact())
    return "The key of this recording is here now, and opens it. Verify the recording again."


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
