"""The evidence package: a page that says what it holds, and the package itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.recordings.views.copies import called as box_called
from archive.recordings.views.copies import sealed
from archive.records.outside_recordings.describe import called
from archive.records.outside_recordings.either import Either, subject_of
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import open_sealed
from archive.records.outside_recordings.reach import check_kept, find_outside
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .package import evidence_package


@require_safe
def evidence(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Say what the package holds, and what taking it means."""
    row, user = _sealed(**address), user_of(request)
    deeds.look(row, by=user)
    discloses = may(user, Deed.DISCLOSE, subject_of(row)).allowed
    brought = isinstance(row, OutsideRecording)
    kind, disclose = ("-outside", "disclosure-new-outside") if brought else ("", "disclosure-new")
    context: dict[str, Any] = {
        "recording": row,
        "whole": deeds.is_whole(row, user),
        "disclose": reverse(f"pages:{disclose}", args=[row.pk]) if discloses else "",
        "file": reverse(f"pages:evidence-file{kind}", args=[row.pk]),
        "brought": brought,
        "notice": words.notice(),
    }
    if isinstance(row, OutsideRecording):
        there = Crumb(called(row), reverse("pages:outside", args=[row.pk]))
        context |= {"place": "outside", "breadcrumbs": [there], "called": called(row)}
    else:
        there = Crumb(_("Copies"), reverse("pages:export", args=[row.pk]))
        length = words.spoken(row.seconds)
        context |= {"place": "recordings", "breadcrumbs": [there], "called": box_called(row)}
        context |= {"damaged": row.damaged_segments, "length_words": length}
    return render(request, "evidence/evidence.html", context)


@require_safe
def evidence_file(request: HttpRequest, **address: str) -> HttpResponseBase:
    """Hand out the package; it is made while it is sent, so it has no length and no ranges."""
    row, user = _sealed(**address), user_of(request)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type="application/zip")
    else:
        row = deeds.begin(row.pk, by=user)

        def noted(sha256: str, size: int) -> None:
            deeds.note_whole(row, sha256, size, by=user)

        response = StreamingHttpResponse(evidence_package(row, noted), content_type="application/zip")
    response.headers["Accept-Ranges"] = "none"
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{row.pk}.zip"'
    return response


def _sealed(recording: str = "", outside: str = "") -> Either:
    """Return the sealed recording that an address names; raise what stands against it, as for any copy."""
    if not outside:
        return sealed(recording)
    row = find_outside(outside)
    check_kept(row)
    open_sealed(row).close()
    return row
