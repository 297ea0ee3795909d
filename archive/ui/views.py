"""What needs no sign-in and tells nothing: what browsers and crawlers ask for by themselves, and the language."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

_ICON: Final = Path(__file__).with_name("static") / "ui" / "icon.svg"


@login_not_required
@require_safe
def favicon(_request: HttpRequest) -> HttpResponseBase:
    """Return the icon that the pages name, for browsers that look for it where it always was."""
    return HttpResponse(_ICON.read_bytes(), content_type="image/svg+xml")


@login_not_required
@require_safe
def robots(_request: HttpRequest) -> HttpResponseBase:
    """Tell crawlers to stay away."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language that somebody chose in the footer, and go back to where they were."""
    return set_language(request)
