"""What the pages of requests have in common."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from archive.records.errors import UnknownRecordError
from archive.ui import words
from archive.ui.breadcrumbs import Crumb

from .models import AccessRequest

REQUESTS: Final = ("requests", "Requests")
ASKED: Final = ("asked", "My requests")
"""The place above a form, and its word: for whoever handles requests, and for whoever may only log one."""


def request_of(case: UUID) -> AccessRequest:
    """Return the access request; raise UnknownRecordError."""
    row = AccessRequest.objects.select_related("student", "person").filter(pk=case).first()
    if row is None:
        raise UnknownRecordError("there is no such request here")
    return row


def frame(heading: str, above: tuple[str, str] = REQUESTS) -> dict[str, Any]:
    """Return what a page with one form shows around it."""
    place, label = above
    address = reverse(f"pages:{place}")
    return {
        "place": place,
        "heading": heading,
        "submit": "Save",
        "cancel": address,
        "breadcrumbs": [Crumb(label, address)],
    }


def below(heading: str, row: AccessRequest) -> dict[str, Any]:
    """Return the same below the page of an access request."""
    back = reverse("pages:request", args=[row.pk])
    intro = f"{row.person} about {row.student}, received {words.day(row.received_on)}."
    crumbs = [Crumb("Requests", reverse("pages:requests")), Crumb(str(row.student), back)]
    return frame(heading) | {"cancel": back, "breadcrumbs": crumbs, "intro": intro}
