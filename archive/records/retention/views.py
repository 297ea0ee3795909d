"""Retention: views parse and show, deeds change."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reaches_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import recordings_in
from archive.recordings.heading import room_name
from archive.recordings.models import Recording
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.holds.reach import held_outside, held_recordings
from archive.records.meetings.models import MeetingKind
from archive.records.outside_recordings.either import page_of
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.reach import outside_in
from archive.records.requests.reach import asked_about, asked_about_outside
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .forms import AnswerForm, SeriesForm
from .models import Series
from .reach import ahead as due_ahead
from .reach import unanswered

_SENT = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 500


@require_safe
def retention(request: HttpRequest) -> HttpResponseBase:
    """Show the series, and what counsel must still be asked."""
    rows = Series.objects.prefetch_related("answers")
    context = {
        "place": "retention",
        "missing": unanswered(),
        "rows": [(one, [str(MeetingKind(kind).label) for kind in one.kinds], list(one.answers.all())) for one in rows],
    }
    return render(request, "retention/retention.html", context)


@require_safe
def question(request: HttpRequest) -> HttpResponseBase:
    """Show the question for counsel, to be printed and answered in writing."""
    context = {
        "place": "retention",
        "breadcrumbs": [_crumb()],
        "district": settings.ARCHIVE.records.district,
        "missing": unanswered(),
        "today": timezone.localdate(),
    }
    return render(request, "retention/question.html", context)


@require_safe
def ahead(request: HttpRequest) -> HttpResponseBase:
    """Show what may be destroyed now, or will be within a year, and what stands against it."""
    user, today = user_of(request), timezone.localdate()
    reaches = reaches_of(user, Deed.RETENTION, Deed.LOOK)
    due = list(itertools.islice(due_ahead(today, reaches[Deed.RETENTION]), SHOWN))
    shown = [row.pk for row, _kept in due]
    looks = reaches[Deed.LOOK]
    opened = _those(shown, recordings_in(looks), outside_in(looks))
    held = _those(shown, held_recordings(), held_outside())
    asked = _those(shown, asked_about(), asked_about_outside())
    rows = []
    for row, kept in due:
        address = page_of(row) if row.pk in opened else ""
        against = [_("on hold")] if row.pk in held else []
        against += [_("a request is open")] if row.pk in asked else []
        where = _("no box made it") if isinstance(row, OutsideRecording) else room_name(row)
        rows.append((row, where, kept, kept.eligible(today), ", ".join(against), address))
    context = {"place": "retention", "breadcrumbs": [_crumb()], "rows": rows, "most": len(rows) == SHOWN}
    return render(request, "retention/ahead.html", context)


@_SENT
def series_new(request: HttpRequest) -> HttpResponseBase:
    """Enter a series."""
    form = SeriesForm(posted(request))

    def act() -> str:
        typed = form.cleaned_data
        kinds = [MeetingKind(one) for one in typed["kinds"]]
        made = deeds.enter_series(typed["code"], typed["title"], kinds, by=user_of(request))
        messages.success(request, _("The series was entered. Enter now what the district decided about it."))
        return reverse("pages:series", args=[made.pk])

    return form_page(request, form, act, context=_frame(_("Enter a record series"), reverse("pages:retention")))


@require_safe
def series(request: HttpRequest, series: UUID) -> HttpResponseBase:
    """Show a series and all that was decided about it."""
    row = _series(series)
    context = {
        "place": "retention",
        "breadcrumbs": [_crumb()],
        "series": row,
        "kinds": [str(MeetingKind(kind).label) for kind in row.kinds],
        "answers": row.answers.select_related("entered_by").order_by("-number"),
    }
    return render(request, "retention/series.html", context)


@_SENT
def answer_new(request: HttpRequest, series: UUID) -> HttpResponseBase:
    """Enter what was decided about a series."""
    row, form = _series(series), AnswerForm(posted(request))
    there = reverse("pages:series", args=[series])

    def act() -> str:
        deeds.enter_answer(series, form.facts(), by=user_of(request))
        messages.success(request, _("The decision was entered."))
        return there

    intro = _(
        "Enter what was decided in writing. A longer period counts for all recordings of the series, a shorter one "
        "only for those made from now on. Nothing is destroyed by it."
    )
    frame = _frame(_("How long is it kept?"), there) | {"intro": intro}
    frame["breadcrumbs"] = [_crumb(), Crumb(str(row), there)]
    return form_page(request, form, act, context=frame)


def _those(shown: list[str], of_boxes: Q, brought: Q) -> set[str]:
    """Return those of the identifiers for which the condition of their own table holds."""
    found = Recording.objects.filter(of_boxes, pk__in=shown).order_by().values_list("pk", flat=True)
    return {*found, *OutsideRecording.objects.filter(brought, pk__in=shown).order_by().values_list("pk", flat=True)}


def _series(pk: UUID) -> Series:
    row = Series.objects.select_related("entered_by").filter(pk=pk).first()
    if row is None:
        raise UnknownRecordError("there is no such series here")
    return row


def _crumb() -> Crumb:
    return Crumb(_("Retention"), reverse("pages:retention"))


def _frame(heading: str, cancel: str) -> dict[str, Any]:
    return {"place": "retention", "heading": heading, "submit": _("Save"), "cancel": cancel, "breadcrumbs": [_crumb()]}
