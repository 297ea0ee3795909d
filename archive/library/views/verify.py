"""Checking a sealed recording again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from ..permissions import custodian_only
from .copies import sealed


@require_POST
@custodian_only
def verify(request: HttpRequest, recording: str) -> HttpResponseBase:
    """Check the package and show what was checked."""
    return render(request, "library/verified.html", {"place": "recording", "recording": sealed(recording)})
