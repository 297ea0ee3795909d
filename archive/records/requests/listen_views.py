"""How somebody who asked listens: by a one-time link, or at the office while staff sit beside."""

from __future__ import annotations

from functools import reduce
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.views import place_of
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import Subject
from archive.recordings.find import find
from archive.recordings.heading import heading
from archive.recordings.ledger_entries import read_ledger
from archive.recordings.listens import VALID
from archive.recordings.parts import Parts, audible, both, heard_about
from archive.recordings.player import bounded_player
from archive.recordings.recording_state import RecordingState, recording_state
from archive.recordings.views.audio import audio_answer
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.form_page import form_page, posted
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from . import deeds, link_deeds
from .forms import OpenForm
from .models import ParentLink, SupervisedListening
from .pages import below, request_of
from .reach import holds_rights, recordings_of

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
    """Begin a supervised listening, and go to its player."""
    row, found = request_of(case), find(recording)
    if found.pk not in {one.pk for one in recordings_of(row.student)}:
        raise UnknownRecordError("this recording is not filed under a meeting of the student")
    form = Form(posted(request))

    def act() -> str:
        if not may(user_of(request), Deed.LISTEN, Subject.recording(recording)).allowed:
            raise DeedError("Your account was not given the right to listen. Make a code for the kiosk instead.")
        made = deeds.begin_supervised(case, found, by=user_of(request))
        return reverse("pages:listening", args=[case, recording, made.pk])

    context = below("Supervised listening", row) | {
        "submit": "Begin",
        "question": f"{row.person} listens at the office while you sit beside. Both names go into the record of "
        "access.",
        "consequences": [f"The player has what {row.person} may hear, as at the kiosk: the part about {row.student}."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


@require_safe
def listening(request: HttpRequest, case: UUID, recording: str, listening: UUID) -> HttpResponseBase:
    """Show the player of a supervised listening: it plays what the rights-holder would hear at the kiosk."""
    user, row = user_of(request), _going_on(request, case, recording, listening)
    if row is None:
        return _over(request, recording)
    found, parts = row.recording, _heard(row, user)
    ledger, state = read_ledger(found), recording_state(found)
    playable = state == RecordingState.SEALED and not ledger.problem
    address = reverse("pages:listening-audio", args=[case, recording, listening])
    context = {
        "place": "requests",
        "breadcrumbs": [
            Crumb(_("Requests"), reverse("pages:requests")),
            Crumb(str(row.request.student), reverse("pages:request", args=[case])),
        ],
        "case": row.request,
        "recording": found,
        "heading": heading(found, ledger.entries),
        "length": words.clock_time(found.seconds),
        "length_words": words.spoken(found.seconds),
        "player": bounded_player(user, found, ledger.entries, address=address, parts=parts) if playable else None,
    }
    return render(request, "requests/listening.html", context)


@require_safe
def listening_audio(request: HttpRequest, case: UUID, recording: str, listening: UUID) -> HttpResponseBase:
    """Answer with the bytes asked for of what the rights-holder of a supervised listening may hear."""
    user, row = user_of(request), _going_on(request, case, recording, listening)
    return _over(request, recording) if row is None else audio_answer(request, row.recording, _heard(row, user))


def _going_on(request: HttpRequest, case: UUID, recording: str, listening: UUID) -> SupervisedListening | None:
    """Return a listening that this account began and that may go on; None of any other."""
    rows = SupervisedListening.objects.select_related("request__student", "request__person", "recording__room")
    mine = rows.filter(pk=listening, request=case, recording=recording, by=user_of(request), request__closed_at=None)
    row = mine.filter(began_at__gt=timezone.now() - VALID).first()
    if row is None or not holds_rights(row.request.student, row.request.person, timezone.localdate()):
        return None
    return row


def _over(request: HttpRequest, recording: str) -> HttpResponseBase:
    messages.info(request, "This listening is over, or a colleague's. Begin one on the page of the request.")
    return HttpResponseRedirect(place_of(user_of(request), recording))


def _heard(row: SupervisedListening, user: User) -> Parts | None:
    """Return what is played: what parents of the request's student may hear, and whoever sits beside (99.12(a))."""
    bounds = (heard_about(row.request.student_id, row.recording_id), audible(user, Deed.LISTEN, row.recording_id))
    known = [one for one in bounds if one is not None]
    return reduce(both, known) if known else None
