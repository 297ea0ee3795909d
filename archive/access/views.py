"""Where somebody is led who may not be led anywhere: no page leads to a refusal."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.accounts.models import User
from archive.core.errors import NOTHING_GRANTED

from .decisions import granted_deeds
from .deeds import OF_ONE_RECORDING, Deed
from .requests import signed_in

FIRST: Final = {
    Deed.OWN: "pages:own",
    Deed.MEETINGS: "pages:today",
    Deed.BOARD: "pages:rooms",
    Deed.LIST: "pages:recordings",
    Deed.LISTS: "pages:lists",
    Deed.BOXES: "pages:boxes",
    Deed.CHECKS: "pages:checks",
}
"""The first of these that was granted is the first page."""
OF_A_RECORDING: Final = {Deed.LOOK: "pages:recording", Deed.CUSTODY: "pages:custody", Deed.DOWNLOAD: "pages:export"}
"""The first of these that was granted is the page of a recording."""


@require_safe
def first(request: HttpRequest) -> HttpResponseBase:
    """Go to the first place that this user may see."""
    granted = granted_deeds(signed_in(request))
    for deed, page in FIRST.items():
        if deed in granted:
            return redirect(page)
    heading, message = NOTHING_GRANTED
    return render(request, "ui/problem.html", {"heading": heading, "message": message}, status=403)


def asks_for_a_family(request: HttpRequest) -> bool:
    """Tell whether who asks holds what rights-holders hold, and nothing else."""
    granted = granted_deeds(signed_in(request))
    return Deed.OWN in granted and granted <= OF_ONE_RECORDING | {Deed.OWN}


def place_of(user: User | AnonymousUser, recording: str) -> str:
    """Return the address of a recording's page that `user` may see; of the first page, if there is none."""
    granted = granted_deeds(user)
    for deed, page in OF_A_RECORDING.items():
        if deed in granted:
            return reverse(page, args=[recording])
    return reverse("pages:first")
