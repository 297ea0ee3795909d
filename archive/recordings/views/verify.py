"""Checking a sealed recording again: asked for with a button, made by the worker, watched here."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from appliance.contract.verification import Report
from appliance.contract.verification.report import SOUND
from archive.access.requests import actor
from archive.core.health import is_alive
from archive.core.jobs import WORKER
from archive.recordings.models import Recording, Verification
from archive.recordings.verification import VERDICTS, ask, report_of
from archive.store.current import store
from archive.ui import words

from .copies import sealed

_HEADINGS: Final = {
    "intact": "Verified: intact",
    "interrupted": "Verified: intact, of an interrupted recording",
    "incomplete": "Verified: intact, of a recording that its box never closed",
    "not-pinned": "Not verified: no known key vouches for it",
    "wrong-key": "Not verified to the end: the archive's key is not that of this recording",
    "tampered": "Not verified: something does not hold",
    "not-a-package": "Not verified: the package is destroyed",
}
_WITHOUT_AUDIO: Final = "The package is intact, but the audio was not checked: its key is not here"
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
    store().size(row.package)  # a package that is gone is an error in words at once
    ask(row, actor(request))
    return redirect("pages:verification", row.pk)


@require_safe
def verification(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Show how far a check is, or what it found; as a page, or as JSON for the page's script."""
    row = sealed(recording)
    kept = Verification.objects.filter(recording=row).first()
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"version": 1, **_progress(kept)})
    if kept is None:
        return redirect("pages:recording", row.pk)
    if kept.finished_at is None:
        return render(request, "ui/verifying.html", {"place": "recording", "recording": row, **_progress(kept)})
    return render(request, "ui/verified.html", {"checked_at": kept.finished_at, **_result(row, report_of(kept))})


def _progress(kept: Verification | None) -> dict[str, Any]:
    finished = kept is None or kept.finished_at is not None
    step, done, of = (kept.step, kept.done, kept.of) if kept is not None else ("", 0, 0)
    told = _STEPS.get(step, step)
    if not step and not is_alive(WORKER):
        told = "The archive's worker does not run, so nothing is checked; tell your administrator"
    return {"finished": finished, "step": told, "done": done, "of": of}


def _result(row: Recording, report: Report) -> dict[str, Any]:
    expected = report.verdict == VERDICTS[row.outcome]
    problem = report.problem
    if not expected and report.verdict in SOUND:
        problem = f"the archive's own record says {row.outcome}, and the package {report.verdict}"
    heading = _HEADINGS["tampered" if report.verdict in SOUND and not expected else report.verdict]
    return {
        "place": "recording",
        "recording": row,
        "good": expected and bool(report.audio_md5),
        "heading": heading if report.audio_md5 or not expected else _WITHOUT_AUDIO,
        "without_audio": expected and not report.audio_md5,
        "report": report,
        "problem": problem,
        "notice": words.NOTICE,
    }
