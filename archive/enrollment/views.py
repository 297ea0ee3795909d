"""What a new box and one with an old certificate ask for. Their signatures decide; cookies mean nothing here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from appliance.contract.enrollment import MAX_MESSAGE
from archive.core.bodies import read_body

from . import deeds
from .throttle import bounded


@login_not_required
@csrf_exempt
def enroll(request: HttpRequest) -> HttpResponse:
    """Take a new box in."""
    line, now = read_body(request, MAX_MESSAGE), timezone.now()
    answer = bounded(
        lambda: deeds.use_claim(line, now),
        lambda: deeds.names_a_good_claim(line, now),
        address=request.META["REMOTE_ADDR"],
        now=now,
    )
    return HttpResponse(answer.model_dump_json(), content_type="application/json")


@login_not_required
@csrf_exempt
def renew(request: HttpRequest) -> HttpResponse:
    """Tell a known box its broker, and give it a new certificate where the old one must be renewed."""
    line, now = read_body(request, MAX_MESSAGE), timezone.now()
    answer = bounded(
        lambda: deeds.renew(line, now),
        lambda: deeds.names_a_believed_key(line),
        address=request.META["REMOTE_ADDR"],
        now=now,
    )
    return HttpResponse(answer.model_dump_json(), content_type="application/json")
