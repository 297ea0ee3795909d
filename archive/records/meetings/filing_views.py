"""The tray: recordings that wait to be filed, and filings that wait for a second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.two_people import not_surely_others
from archive.accounts.models import User
from archive.core.errors import SAME_HANDS, Words
from archive.recordings.find import find
from archive.recordings.heading import room_name
from archive.recordings.models import Recording
from archive.records.errors import UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.records.people.models import Student
from archive.records.people.search import reached
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import filing_deeds
from .describe import title
from .forms import CancelForm, FileForm, WrongForm
from .models import Filing, Meeting
from .tray import SHOWN, filings_in, fitting_meetings, to_file, waiting

_SENT = require_http_methods(["GET", "HEAD", "POST"])
NEAR = timedelta(days=2)
"""How far around its time meetings are offered for a recording that fits none."""


@require_safe
def tray(request: HttpRequest) -> HttpResponseBase:
    """Show what waits: to be filed, to be confirmed, to be looked at again."""
    user = user_of(request)
    rows, reach = [], reach_of(user, Deed.FILE)
    for recording in to_file(reach)[:SHOWN]:
        fits = fitting_meetings(recording)
        why = "no meeting fits" if not fits else "several meetings fit" if len(fits) > 1 else "it is about to be filed"
        rows.append((recording, room_name(recording), words.spoken(recording.seconds), why))
    found = list(waiting(reach)[:SHOWN])
    hands = not_surely_others(user, {pk for one in found if (pk := _first(one)) is not None})
    pending = [(one, title(one.meeting), room_name(one.recording), _why_it_waits(one, hands, user)) for one in found]
    context = {"place": "tray", "rows": rows, "pending": pending}
    return render(request, "meetings/tray.html", context)


def _first(filing: Filing) -> UUID | None:
    """Return who said what a second person is to say now."""
    return filing.end_asked_by_id if filing.end_asked_at else filing.filed_by_id


def _why_it_waits(filing: Filing, hands: set[UUID], user: User) -> Words:
    if user.pk in {filing.filed_by_id, filing.end_asked_by_id}:
        return "Waits for a colleague: you said so yourself."
    return SAME_HANDS if _first(filing) in hands else ""


@_SENT
def file_recording(request: HttpRequest, recording: str) -> HttpResponseBase:
    """File a recording, or a part of it, under a meeting."""
    row, user = find(recording), user_of(request)
    fits = fitting_meetings(row)
    mine = Student.objects.filter(reached(reach_of(user, Deed.FILE)))
    near = fits + [one for one in _near(row) if one not in fits]
    visible = set(mine.filter(pk__in=[one.student_id for one in near]).values_list("pk", flat=True))
    offered = [one for one in near if one.student_id in visible]
    filed = set(Filing.objects.filter(recording=row, ended_at=None).values_list("meeting", flat=True))
    choices = [(str(one.pk), f"{one.student}: {title(one)}") for one in offered if one.pk not in filed]
    form = FileForm(row, choices, posted(request))

    def act() -> str:
        pk, part = form.chosen()
        meeting = Meeting.objects.filter(pk=pk).first()
        if meeting is None:
            raise UnknownRecordError("there is no such meeting here")
        filing_deeds.file_under(row, meeting, part, by=user)
        messages.success(request, "It was filed. A second person must confirm it before anybody reaches it so.")
        return reverse("pages:tray")

    context = {
        **_frame("File a recording"),
        "submit": "File it",
        "intro": f"Recorded in {room_name(row)}, {words.spoken(row.seconds)} long. Choose its meeting; "
        "a second person confirms it.",
        "recording": row,
        "choices": choices,
        "filings": filings_in(reach_of(user, Deed.FILE))
        .filter(recording=row)
        .select_related("meeting__student", "meeting__room"),
    }
    return form_page(request, form, act, "meetings/file.html", context)


@_SENT
def confirm(request: HttpRequest, recording: str, filing: UUID) -> HttpResponseBase:
    """Confirm a filing, as a second person."""
    consequences = ["Everybody with access to the student's recordings reaches it from now on."]
    return _ask(request, recording, filing, "Confirm a filing", "Yes, it is of this meeting", consequences,
                filing_deeds.confirm, "The filing was confirmed.")  # fmt: skip


@_SENT
def agree_wrong(request: HttpRequest, recording: str, filing: UUID) -> HttpResponseBase:
    """Agree that a filing is wrong, as a second person."""
    consequences = ["It ends, and the recording waits in the tray again."]
    return _ask(request, recording, filing, "End a wrong filing", "Yes, it is wrong", consequences,
                filing_deeds.agree_wrong, "The filing was ended.")  # fmt: skip


@_SENT
def keep(request: HttpRequest, recording: str, filing: UUID) -> HttpResponseBase:
    """Say that a doubted filing is right, as a second person."""
    consequences = ["People with access to the student's recordings reach it again."]
    return _ask(request, recording, filing, "Keep a filing", "It is right after all", consequences,
                filing_deeds.keep, "The filing stays.")  # fmt: skip


def _ask(  # noqa: PLR0917 - one page for three deeds that differ in their words
    request: HttpRequest,
    recording: str,
    filing: UUID,
    heading: str,
    submit: str,
    consequences: list[str],
    deed: Callable[..., Filing],
    done: str,
) -> HttpResponseBase:
    user = user_of(request)
    row = _filing(recording, filing, user)
    form = CancelForm(posted(request))

    def act() -> str:
        deed(filing, by=user)
        messages.success(request, done)
        return reverse("pages:tray")

    question = (
        f"The recording of {room_name(row.recording)}, {words.spoken(row.recording.seconds)} long, is filed under: "
        f"{row.meeting.student}, {title(row.meeting)}."
    )
    context = {**_frame(heading), "submit": submit, "question": question, "consequences": consequences}
    return form_page(request, form, act, "ui/confirm.html", context)


@_SENT
def call_wrong(request: HttpRequest, recording: str, filing: UUID) -> HttpResponseBase:
    """Say that a filing is wrong."""
    user = user_of(request)
    row = _filing(recording, filing, user)
    form = WrongForm(posted(request))

    def act() -> str:
        ended = filing_deeds.call_wrong(filing, form.cleaned_data["reason"], by=user)
        agreed = "It was ended." if ended.ended_at else "Access through it ended now; a second person must agree."
        messages.success(request, agreed)
        return reverse("pages:tray")

    context = {**_frame("A filing is wrong"), "submit": "It is wrong"}
    context["intro"] = f"Filed under: {row.meeting.student}, {title(row.meeting)}. Access through it ends at once."
    return form_page(request, form, act, context=context)


def _near(row: Recording) -> list[Meeting]:
    around = Meeting.objects.select_related("student", "room").filter(
        cancelled_at=None, starts_at__gt=row.listed_at - NEAR, starts_at__lt=row.listed_at + NEAR
    )
    return list(around[:SHOWN])


def _filing(recording: str, pk: UUID, user: User) -> Filing:
    rows = filings_in(reach_of(user, Deed.FILE)).select_related(
        "recording", "recording__room", "meeting", "meeting__student", "meeting__room"
    )
    filing = rows.filter(pk=pk, recording=recording).first()
    if filing is None:
        raise UnknownRecordError("there is no such filing here, or it was ended")
    return filing


def _frame(heading: str) -> dict[str, Any]:
    address = reverse("pages:tray")
    return {"place": "tray", "heading": heading, "cancel": address, "breadcrumbs": [Crumb("Tray", address)]}
