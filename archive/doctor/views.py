"""What is left to do about the archive, for an administrator: the doctor's findings, and the first steps."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

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
