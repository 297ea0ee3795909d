"""The first page of staff: what is due today; and the readiness of the rooms."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from archive.access.requests import user_of
from archive.ui import words

from .rooms_today import readiness_now
from .tasks import lists_for


@require_safe
def today(request: HttpRequest) -> HttpResponseBase:
    """Show what is due."""
    now = timezone.localtime()
    context = {"place": "today", "day": words.day(now), "lists": lists_for(user_of(request), now)}
    return render(request, "today/today.html", context)


@require_safe
def readiness(request: HttpRequest) -> HttpResponseBase:
    """Show every room, and whether its box would record now."""
    now = timezone.localtime()
    context = {"place": "readiness", "day": words.day(now), "at": words.time_of_day(now), "lines": readiness_now(now)}
    return render(request, "today/readiness.html", context)
