"""Restricted passages: views parse and show, deeds change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from archive.access.requests import user_of
from archive.recordings.find import find
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.ui.breadcrumbs import Crumb
from archive.ui.templatetags.plain import when

from . import deeds
from .forms import LiftForm, RestrictForm
from .models import Restriction

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@_SENT
def restrict(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Restrict a passage."""
    row, form = find(recording), RestrictForm(posted(request))

    def act() -> str:
        typed = form.cleaned_data
        last = None if typed["last"] is None else typed["last"] * row.rate
        deeds.restrict(recording, typed["first"] * row.rate, last, typed["reason"], by=user_of(request))
        messages.success(request, "The passage is restricted.")
        return reverse("pages:recording", args=[recording])

    frame = _frame("Restrict a passage", recording, when(row.listed_at))
    intro = "Whoever may not hear restricted passages hears silence in its place, and no copy holds it."
    return form_page(request, form, act, context=frame | {"intro": intro, "submit": "Restrict it"})


@_SENT
def lift(request: HttpRequest, recording: str, restriction: UUID) -> HttpResponseBase:
    """Open a passage again, as a second person."""
    row, form = find(recording), LiftForm(posted(request))
    if not Restriction.objects.filter(pk=restriction, recording=recording, lifted_at=None).exists():
        raise UnknownRecordError("there is no such passage here, or it was opened again")

    def act() -> str:
        deeds.lift(recording, restriction, form.cleaned_data["reason"], by=user_of(request))
        messages.success(request, "The passage is open again.")
        return reverse("pages:recording", args=[recording])

    frame = _frame("Open a passage again", recording, when(row.listed_at))
    intro = "Everybody who may hear the recording hears it again."
    return form_page(request, form, act, context=frame | {"intro": intro, "submit": "Open it"})


def _frame(heading: str, recording: str, at: str) -> dict[str, Any]:
    back = reverse("pages:recording", args=[recording])
    crumbs = [Crumb("Recordings", reverse("pages:recordings")), Crumb(at, back)]
    return {"place": "recordings", "heading": heading, "cancel": back, "breadcrumbs": crumbs}
