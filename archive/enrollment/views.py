"""What a new box and one with an old certificate ask for. Their signatures decide; cookies mean nothing here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from appliance.contract.enrollment import MAX_MESSAGE
from archive.core.bodies import read_body

from . import deeds


@login_not_required
@csrf_exempt
def enroll(request: HttpRequest) -> HttpResponse:
    """Take a new box in."""
    answer = deeds.use_claim(read_body(request, MAX_MESSAGE), timezone.now())
    return HttpResponse(answer.model_dump_json(), content_type="application/json")


@login_not_required
@csrf_exempt
def renew(request: HttpRequest) -> HttpResponse:
    """Give a known box a new certificate."""
    answer = deeds.renew(read_body(request, MAX_MESSAGE), timezone.now())
    return HttpResponse(answer.model_dump_json(), content_type="application/json")
