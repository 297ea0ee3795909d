"""The page of the regular checks: how many packages were checked in time, and which are damaged."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.access.decisions import reached_recordings
from archive.access.deeds import Deed
from archive.access.requests import user_of
from archive.recordings import fixity as rules
from archive.recordings.elsewhere import kinds_elsewhere

MOST: Final = 200
"""Most damaged recordings that the page names; the figures above them count all."""


@require_safe
def fixity(request: HttpRequest) -> HttpResponseBase:
    """Show the report, and the damaged recordings; each leads to its check for whoever may see that."""
    user = user_of(request)
    rows = rules.damaged().filter(reached_recordings(user, Deed.LIST)).order_by("-listed_at")
    opens = set(rows.filter(reached_recordings(user, Deed.VERIFY)).values_list("pk", flat=True))
    shown = [(row, row.pk in opens) for row in rows.select_related("verification")[:MOST]]
    others = [one for kind in kinds_elsewhere() for one in kind.damaged(user)[:MOST]]
    context = {"place": "recordings", "found": rules.report(timezone.now()), "damaged": shown, "others": others}
    return render(request, "ui/fixity.html", context)
