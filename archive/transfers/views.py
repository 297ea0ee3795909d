"""Pages on which a custodian takes in what another district's archive hands over."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appliance.contract.outside_package import PIECE
from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.access.scopes import DISTRICT
from archive.accounts.models import User
from archive.core.bodies import read_body
from archive.keystore.current import keystore
from archive.records.form_page import form_page, posted
from archive.records.outside_recordings.take_in_views import place_of_piece
from archive.ui.breadcrumbs import Crumb
from archive.ui.signs import SignCode

from . import upload_deeds
from .forms import AnnounceForm
from .models import OPEN, State, Upload

A_PAGE: Final = 50
"""Packages on one page of the list: those that may still be taken in first, then the newest."""
SIGNS: Final[dict[str, SignCode]] = {
    State.ARRIVING: "attention",
    State.ARRIVED: "working",
    State.TAKEN_IN: "ready",
    State.REFUSED: "attention",
    State.GIVEN_UP: "unknown",
}
_SENT = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def transfers(request: HttpRequest) -> HttpResponseBase:
    """Show what was handed over by the pages, and whom another archive must address."""
    _allowed(request)
    listed = Upload.objects.defer("key_ring", "key").annotate(ended=~Q(state__in=OPEN))
    page = Paginator(listed.order_by("ended", "-begun_at", "-pk"), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "transfers",
        "rows": [(one, SIGNS[one.state]) for one in page.object_list],
        "page": page,
        "recipient": keystore().recipient,
    }
    return render(request, "transfers/transfers.html", context)


@_SENT
def new(request: HttpRequest) -> HttpResponseBase:
    """Write down what is said about a package; its file follows. `again` names one whose words are taken over."""
    user = _allowed(request)
    before = Upload.objects.filter(pk=request.GET.get("again", "")[:32]).first()
    initial = {"district": before.district, "key_ring": before.key_ring, "came_by": before.came_by} if before else {}
    form = AnnounceForm(posted(request), initial=initial)

    def act() -> str:
        return _address(upload_deeds.begin(form.said(), by=user))

    intro = (
        "A student who moved brings recordings along (34 CFR 99.34). The package is checked with the other archive's "
        "keys, and nothing of it is kept unless all of it holds."
    )
    context = _frame("Take in a recording of another district") | {
        "submit": "Go on to the file",
        "intro": intro,
        "cancel": reverse("pages:transfers"),
    }
    return form_page(request, form, act, context=context)


@_SENT
def transfer(request: HttpRequest, upload: str) -> HttpResponseBase:
    """Ask for the file, and close it once all of it is here; afterwards, say what became of it."""
    user, row = _allowed(request), upload_deeds.find_upload(upload)
    form = forms.Form(posted(request) if row.state == State.ARRIVING else None)

    def act() -> str:
        upload_deeds.complete(upload, by=user)
        messages.success(request, "All of the file is here. It is checked now, and then taken in.")
        return _address(row)

    context = _frame(f"From {row.district}") | {
        "row": row,
        "sign": SIGNS[row.state],
        "recipient": keystore().recipient,
        "opens": row.taken_in is not None and may(user, Deed.LOOK, row.taken_in.subject).allowed,
        "piece": PIECE,
        "longest": upload_deeds.longest(),
        "percent": row.received * 100 // row.size if row.size else 0,
        "pieces": reverse("pages:transfer-piece", args=[upload]),
        "give_up": reverse("pages:transfer-give-up", args=[upload]),
        "accept": ".zip,application/zip",
        "again": f"{reverse('pages:transfer-new')}?again={row.pk}",
    }
    return form_page(request, form, act, "transfers/transfer.html", context)


@require_POST
def piece(request: HttpRequest, upload: str) -> HttpResponseBase:
    """Take one piece of the file; answer how much of it is here."""
    _allowed(request)
    at, size = place_of_piece(request)
    here = upload_deeds.add_piece(upload, at, size, read_body(request, PIECE))
    return JsonResponse({"version": 1, "received": here})


@_SENT
def give_up(request: HttpRequest, upload: str) -> HttpResponseBase:
    """Give a package up before it is taken in."""
    user, row, form = _allowed(request), upload_deeds.find_upload(upload), forms.Form(posted(request))

    def act() -> str:
        gone = upload_deeds.give_up(upload, by=user)
        left = "What an attempt had kept of it is removed within ten minutes." if gone.stored else ""
        messages.success(request, f"It was given up. {left or 'Nothing of the package is kept.'}")
        return reverse("pages:transfers")

    there = _address(row)
    context = _frame("Give up a package") | {
        "submit": "Give it up",
        "question": "What arrived of the package is removed, and what was said about it.",
        "consequences": ["The custody log goes on saying that one was announced and given up, and by whom."],
        "cancel": there,
        "breadcrumbs": [_crumb(), Crumb(f"From {row.district}", there)],
    }
    return form_page(request, form, act, "ui/confirm.html", context)


def _allowed(request: HttpRequest) -> User:
    """Return who asks, if they may file for the whole district: nobody knows yet which student it is about."""
    user = user_of(request)
    if DISTRICT not in reach_of(user, Deed.FILE).scopes:
        raise PermissionDenied
    return user


def _address(row: Upload) -> str:
    return reverse("pages:transfer", args=[row.pk])


def _crumb() -> Crumb:
    return Crumb("Transfers", reverse("pages:transfers"))


def _frame(heading: str) -> dict[str, Any]:
    return {"place": "transfers", "heading": heading, "breadcrumbs": [_crumb()]}
