"""How somebody who asked listens: by a one-time link, or at the office while staff sit beside."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from archive.access.requests import user_of
from archive.core.deeds import one_deed
from archive.recordings.find import find
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted

from . import deeds, link_deeds
from .forms import OpenForm
from .models import ParentLink
from .pages import below, request_of
from .reach import recordings_of

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@_SENT
def request_link(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Open the recordings to the rights-holder, and make the one-time link with its code, shown once."""
    row, form = request_of(case), OpenForm(posted(request))
    user = user_of(request)
    if request.method == "POST" and form.is_valid():
        kiosk, drawn = "kiosk" in request.POST, link_deeds.Drawn()
        try:
            with one_deed():
                made = link_deeds.make_link(row.person, by=user, request=row, kiosk=kiosk, drawn=drawn)
                deeds.open_for(case, form.cleaned_data["days"], by=user)
        except DeedError as error:
            form.add_error(None, error.message)
        else:
            address = request.build_absolute_uri(reverse("pages:parent-link", args=[made.token]))
            code = f"{made.code[:4]} {made.code[4:]}"
            context = below("One-time link", row) | {"address": address, "code": code, "made": made.row, "case": row}
            return render(request, "requests/link.html", context)
    context = below("Let the rights-holder listen", row) | {"form": form}
    return render(request, "requests/open.html", context, status=422 if form.is_bound else 200)


@_SENT
def link_withdraw(request: HttpRequest, case: UUID, link: UUID) -> HttpResponseBase:
    """Withdraw a link."""
    row = request_of(case)
    if not ParentLink.objects.filter(pk=link, request=row).exists():
        raise UnknownRecordError("there is no such link here")
    form = Form(posted(request))

    def act() -> str:
        link_deeds.withdraw_link(link, by=user_of(request))
        messages.success(request, "The link opens nothing any more.")
        return reverse("pages:request", args=[case])

    context = below("Withdraw a link", row) | {"submit": "Withdraw it", "question": "The link opens nothing then."}
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def supervised(request: HttpRequest, case: UUID, recording: str) -> HttpResponseBase:
    """Begin a supervised listening, and go to the recording's page."""
    row, found = request_of(case), find(recording)
    if found.pk not in {one.pk for one in recordings_of(row.student)}:
        raise UnknownRecordError("this recording is not filed under a meeting of the student")
    form = Form(posted(request))

    def act() -> str:
        deeds.begin_supervised(case, found, by=user_of(request))
        return reverse("pages:recording", args=[recording])

    question = f"{row.person} listens at the office while you sit beside. Both names go into the record of access."
    context = below("Supervised listening", row) | {"submit": "Begin", "question": question}
    return form_page(request, form, act, "ui/confirm.html", context)
