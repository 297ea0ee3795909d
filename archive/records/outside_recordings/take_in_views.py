"""Taking a file in: what is said about it, then its bytes, piece by piece."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from appliance.contract.errors import FormatError
from appliance.contract.outside_package import PIECE
from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import DISTRICT
from archive.core.bodies import read_body
from archive.records.errors import DeedError
from archive.records.form_page import form_page, posted
from archive.ui.breadcrumbs import Crumb

from . import take_in_deeds
from .describe import called
from .forms import StatementForm
from .models import OutsideRecording, State
from .reach import find_outside

_SENT = require_http_methods(["GET", "HEAD", "POST"])


@_SENT
def new(request: HttpRequest) -> HttpResponseBase:
    """Write down what is said about a recording; its file follows."""
    user, form = user_of(request), StatementForm(posted(request))
    if DISTRICT not in reach_of(user, Deed.FILE).scopes:
        # nobody knows yet which student it is about, so a right over some of them is not enough
        raise PermissionDenied

    def act() -> str:
        made = take_in_deeds.begin(form.said(), by=user)
        return reverse("pages:outside-take-in", args=[made.pk])

    intro = (
        "Write down what the person who brings it says. Nobody here saw how it was made, so it is kept at a lower "
        "grade than what a box recorded. None of this can be changed later."
    )
    context = _frame("Take in a recording that no box made") | {"submit": "Go on to the file", "intro": intro}
    return form_page(request, form, act, context=context | {"cancel": reverse("pages:outside-recordings")})


@_SENT
def take_in(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Ask for the file, and close it once all of it is here."""
    row, form = find_outside(outside), forms.Form(posted(request))
    there = reverse("pages:outside", args=[outside])
    if row.state != State.ARRIVING:
        return HttpResponseRedirect(there)

    examined, refused = None, None
    if request.method == "POST":
        # it reads the whole file, and a deed waits for no disk
        try:
            examined = take_in_deeds.examine_file(outside)
        except DeedError as error:
            refused = error

    def act() -> str:
        if refused is not None:
            raise refused
        take_in_deeds.complete(outside, by=user_of(request), examined=examined)
        messages.success(request, "All of the file is here. It is sealed within a minute.")
        return there

    context = _below("Bring the file", row) | {
        "row": row,
        "piece": PIECE,
        "longest": take_in_deeds.longest(),
        "percent": row.received * 100 // row.size if row.size else 0,
        "pieces": reverse("pages:outside-piece", args=[row.pk]),
        "give_up": reverse("pages:outside-give-up", args=[row.pk]),
        "accept": ".wav,.flac,.mp3,.m4a,audio/*",
    }
    return form_page(request, form, act, "outside_recordings/take_in.html", context)


@require_POST
def piece(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Take one piece of the file; answer how much of it is here."""
    at, size = place_of_piece(request)
    here = take_in_deeds.add_piece(outside, at, size, read_body(request, PIECE))
    return JsonResponse({"version": 1, "received": here})


def place_of_piece(request: HttpRequest) -> tuple[int, int]:
    """Return where in its file a piece belongs that is sent, and the file's size; raise FormatError."""
    try:
        at, size = (int(request.GET.get(name, "")[:20]) for name in ("at", "size"))
    except ValueError:
        raise FormatError("the place of a piece (at) and the size of its file (size) are numbers", field="at") from None
    return at, size


@_SENT
def give_up(request: HttpRequest, outside: str) -> HttpResponseBase:
    """Give a file up before it is sealed."""
    row, form = find_outside(outside), forms.Form(posted(request))

    def act() -> str:
        take_in_deeds.give_up(outside, by=user_of(request))
        # said behind the clearing, which begins with the commit: only then it shows whether the store let all of it go
        transaction.on_commit(lambda: messages.success(request, _given_up(outside)))
        return reverse("pages:outside-recordings")

    context = _below("Give up what is being brought", row) | {
        "submit": "Give it up",
        "question": "What arrived of the file and what was said about it are removed.",
        "consequences": ["The custody log goes on saying that something was announced and given up, and by whom."],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


def _given_up(pk: str) -> str:
    if take_in_deeds.is_cleared(pk):
        return "It was given up. Nothing of it is kept."
    return "It was given up. The store does not let all of it go now; the archive removes what is left when it does."


def _frame(heading: str) -> dict[str, Any]:
    crumbs = [Crumb("Brought in", reverse("pages:outside-recordings"))]
    return {"place": "outside", "heading": heading, "submit": "Save", "breadcrumbs": crumbs}


def _below(heading: str, row: OutsideRecording) -> dict[str, Any]:
    there = reverse("pages:outside", args=[row.pk])
    frame = _frame(heading)
    return frame | {"cancel": there, "breadcrumbs": [*frame["breadcrumbs"], Crumb(called(row), there)]}
