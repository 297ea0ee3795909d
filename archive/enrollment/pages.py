"""Claims and boxes, for IT: give a claim out, withdraw it, retire a box. Views parse and show, deeds change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appliance.contract.enrollment import CLAIM_HOURS
from appliance.contract.errors import PlainSightError, SettingsError
from archive.access.requests import actor
from archive.core.once import once
from archive.devices.enrollment import retire
from archive.devices.models import Box
from archive.rooms.placement import rooms_now
from archive.ui.breadcrumbs import Crumb

from . import deeds
from .claim_file import FILE_NAME, Hardware, claim_file
from .forms import ClaimFileForm, ClaimForm, HardwareForm
from .models import Claim, ClaimState

SHOWN: Final = 100
"""Claims in the list, the newest."""
_SENT = require_http_methods(["GET", "HEAD", "POST"])
_SIGNS: Final = {
    ClaimState.OPEN: "working",
    ClaimState.USED: "ready",
    ClaimState.EXPIRED: "unknown",
    ClaimState.WITHDRAWN: "unknown",
}


class NotHereError(PlainSightError):
    """The address names a claim or a box that the archive does not know."""

    code = "not-here"
    status = 404


@dataclass(frozen=True)
class BoxRow:
    """A box as the list shows it."""

    box: Box
    room: str
    """Where it stands; empty if nobody said so."""
    claim: Claim | None
    """What it was enrolled with; None if it was added by hand."""
    has_ended: bool
    """Whether its certificate has ended, so that the broker no longer takes it."""


@dataclass(frozen=True)
class ClaimRow:
    """A claim as the list shows it."""

    claim: Claim
    state: ClaimState
    sign: str


@require_safe
def boxes(request: HttpRequest) -> HttpResponseBase:
    """Show every box, and the newest claims."""
    now = timezone.now()
    rows = list(Box.objects.filter(elsewhere=False).select_related("claim", "status"))
    rooms = rooms_now(rows)
    claims = [(claim, claim.state(now)) for claim in Claim.objects.select_related("room", "box")[:SHOWN]]
    context = {
        "place": "boxes",
        "boxes": sorted(
            (_row(box, rooms, now) for box in rows), key=lambda row: (row.box.retired_at is not None, row.room)
        ),
        "claims": [ClaimRow(claim, state, _SIGNS[state]) for claim, state in claims],
    }
    return render(request, "enrollment/boxes.html", context)


def _row(box: Box, rooms: dict[str, Any], now: datetime) -> BoxRow:
    claim: Claim | None = getattr(box, "claim", None)
    ends_at = claim.certificate_ends_at if claim else None
    return BoxRow(box, rooms[box.pk].name if box.pk in rooms else "", claim, ends_at is not None and now >= ends_at)


@_SENT
def claim_new(request: HttpRequest) -> HttpResponseBase:
    """Give a claim out, and show it this once: its text is kept nowhere."""
    form = ClaimForm(request.POST or None)
    context = {"place": "boxes", "breadcrumbs": _above(), "hours": CLAIM_HOURS, "form": form}

    def give() -> deeds.NewClaim:
        return deeds.give_claim(form.cleaned_data["room"], by=actor(request), now=timezone.now())

    return _given(request, form, give, context) or render(
        request, "enrollment/claim_new.html", context, status=_status(form)
    )


@_SENT
def box_new_board(request: HttpRequest, box: str) -> HttpResponseBase:
    """Give out a claim for a box's card in another board, and show it this once."""
    row = Box.objects.filter(pk=box, elsewhere=False).select_related("claim").first()
    if row is None:
        raise NotHereError(f"the archive does not know {box}")
    form = HardwareForm(request.POST or None)
    context = {
        "place": "boxes",
        "breadcrumbs": _above(),
        "hours": CLAIM_HOURS,
        "form": form,
        "row": _row(row, rooms_now([row]), timezone.now()),
    }

    def give() -> deeds.NewClaim:
        return deeds.give_claim_for(box, by=actor(request), now=timezone.now())

    return _given(request, form, give, context) or render(
        request, "enrollment/claim_new_board.html", context, status=_status(form)
    )


def _given(
    request: HttpRequest, form: HardwareForm, give: Callable[[], deeds.NewClaim], context: dict[str, Any]
) -> HttpResponseBase | None:
    """Give a claim out if the form was sent and is right, and answer with it; None if the form has to be shown."""
    shown: list[tuple[deeds.NewClaim, Hardware]] = []

    def act() -> str:
        hardware = form.made_of()
        claim = give()
        # now, so that no claim is given out that could not be used
        claim_file(claim.text, hardware, claim.row.for_box_id)
        shown.append((claim, hardware))
        return reverse("pages:boxes")

    answer = _act_on(request, form, act)
    if shown:
        claim, hardware = shown[0]
        typed = {
            "claim": claim.text,
            "hardware": hardware.microphone,
            "lamp_seen": hardware.lamp_seen,
            "mic_rail": hardware.mic_rail,
        }
        given = {"given": claim, "file": ClaimFileForm(initial=typed), "file_name": FILE_NAME}
        return render(request, "enrollment/claim.html", {**context, **given})
    if answer is not None:
        messages.info(request, "This claim was given out already, and was shown then. Withdraw it if nobody has it.")
    return answer


def _status(form: forms.Form) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK


@require_POST
def claim_file_answer(request: HttpRequest) -> HttpResponseBase:
    """Answer with the file of a claim that was just shown."""
    form = ClaimFileForm(request.POST)
    if not form.is_valid():
        raise SettingsError("that is no claim; give out another one", field="claim")
    typed = form.cleaned_data
    row = deeds.open_claim(typed["claim"], timezone.now())
    hardware = Hardware(typed["hardware"], typed["lamp_seen"], typed["mic_rail"])
    text = claim_file(typed["claim"], hardware, row.for_box_id)
    headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return HttpResponse(text, content_type="application/toml", headers=headers)


@_SENT
def claim_withdraw(request: HttpRequest, claim: int) -> HttpResponseBase:
    """Ask, then let a claim be taken no longer."""
    row = Claim.objects.select_related("room").filter(pk=claim).first()
    if row is None:
        raise NotHereError(f"there is no claim {claim}")

    def act() -> str:
        deeds.withdraw_claim(claim, by=actor(request), now=timezone.now())
        messages.success(request, f"Claim {claim} is withdrawn. No box can use it.")
        return reverse("pages:boxes")

    return _confirmed(
        request,
        act,
        heading=f"Withdraw claim {claim}",
        question=f"It was given out for {row.room}. Shall no box be able to use it?",
        consequences=["A box that has used it stays enrolled.", "This is written into the custody log."],
        submit="Withdraw it",
    )


@_SENT
def box_retire(request: HttpRequest, box: str) -> HttpResponseBase:
    """Ask, then take nothing more from a box."""
    row = Box.objects.filter(pk=box).first()
    if row is None:
        raise NotHereError(f"the archive does not know {box}")

    def act() -> str:
        retire(box, by=actor(request))
        messages.success(request, f"{box} is retired. Broker and archive take nothing more from it.")
        return reverse("pages:boxes")

    room = rooms_now([row]).get(box)
    return _confirmed(
        request,
        act,
        heading=f"Retire {box}",
        question=f"It stands in {room}. Was it lost, stolen or replaced?"
        if room
        else "Was it lost, stolen or replaced?",
        consequences=[
            "Within a minute broker and archive take nothing more from it.",
            "What it sent stays, and can be checked as before.",
            "What it has not sent yet stays on the box, and is not taken: let a box that works send everything first.",
            "Where only its board is dead, let its card go on in another one instead (New board).",
            "It does not come back: with a new claim on its card, its board becomes another box.",
            "This is written into the custody log.",
        ],
        submit="Retire it",
    )


def _act_on(request: HttpRequest, form: forms.Form, act: Callable[[], str]) -> HttpResponseBase | None:
    """Act on a form that was sent and is right; what the deed refuses stands at its field."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return once(request, act)
    except SettingsError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
    return None


def _confirmed(request: HttpRequest, act: Callable[[], str], **words: Any) -> HttpResponseBase:
    form = forms.Form(request.POST if request.method == "POST" else None)
    answer = _act_on(request, form, act)
    if answer is not None:
        return answer
    context = {"place": "boxes", "breadcrumbs": _above(), "cancel": reverse("pages:boxes"), "form": form, **words}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "ui/confirm.html", context, status=status)


def _above() -> list[Crumb]:
    return [Crumb("Boxes", reverse("pages:boxes"))]
