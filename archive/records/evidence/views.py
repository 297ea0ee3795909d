"""The evidence package: a page that says what it holds, and the package itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.custody.actors import Subject
from archive.recordings.parts import audible
from archive.recordings.views.copies import called, sealed
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .package import evidence_package


@require_safe
def evidence(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Say what the package holds, and what taking it means."""
    row, user = sealed(recording), user_of(request)
    deeds.look(recording, by=user)
    discloses = may(user, Deed.DISCLOSE, Subject.recording(row.pk)).allowed
    context = {
        "place": "recordings",
        "breadcrumbs": [Crumb(_("Copies"), reverse("pages:export", args=[row.pk]))],
        "recording": row,
        "called": called(row),
        "whole": audible(user, Deed.DOWNLOAD, row.pk) is None,
        "disclose": reverse("pages:disclosure-new", args=[row.pk]) if discloses else "",
        "damaged": row.damaged_segments,
        "length_words": words.spoken(row.seconds),
        "notice": words.notice(),
    }
    return render(request, "evidence/evidence.html", context)


@require_safe
def evidence_file(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Hand out the package; it is made while it is sent, so it has no length and no ranges."""
    row, user = sealed(recording), user_of(request)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type="application/zip")
    else:
        deeds.begin(recording, by=user)

        def noted(sha256: str, size: int) -> None:
            deeds.note_whole(recording, sha256, size, by=user)

        response = StreamingHttpResponse(evidence_package(row, noted), content_type="application/zip")
    response.headers["Accept-Ranges"] = "none"
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{row.pk}.zip"'
    return response
