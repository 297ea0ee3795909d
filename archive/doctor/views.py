"""What is left to do about the archive: for an administrator the doctor's findings, for an operator counts alone."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.control.deeds import note_given
from archive.core.tokens import require_token

from .control import summarize
from .examination import examine
from .to_do import steps_taken, tasks


@require_safe
def checks(request: HttpRequest) -> HttpResponseBase:
    """Look at everything but the whole of the database, and list what to do first."""
    found = list(examine(settings.ARCHIVE, settings.ARCHIVE_HOME, timezone.now(), deep=False))
    context = {
        "place": "checks",
        "tasks": tasks(found, steps_taken()),
        "good": [one for one in found if one.verdict == "ok"],
    }
    return render(request, "doctor/checks.html", context)


@require_safe
@login_not_required
def control_summary(request: HttpRequest) -> HttpResponseBase:
    """Answer with counts, to whoever shows the token; that they are given is noted first."""
    require_token(request, settings.ARCHIVE.control.token_file, "control.token_file")
    said = summarize(settings.ARCHIVE_HOME, timezone.now()).model_dump_json()
    note_given()
    return HttpResponse(said, content_type="application/json")
