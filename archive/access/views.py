"""The first page of whoever signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from .decisions import granted_deeds
from .deeds import Deed
from .requests import signed_in

FIRST = {Deed.BOARD: "pages:rooms", Deed.LIST: "pages:recordings"}
"""The first of these that was granted is shown."""


@require_safe
def first(request: HttpRequest) -> HttpResponseBase:
    """Go to the first place that this user may see."""
    granted = granted_deeds(signed_in(request))
    for deed, page in FIRST.items():
        if deed in granted:
            return redirect(page)
    words = {
        "heading": "Nothing was granted to you yet",
        "message": "You are signed in, and your account has no rights here. Ask the records custodian.",
    }
    return render(request, "ui/problem.html", words, status=403)
