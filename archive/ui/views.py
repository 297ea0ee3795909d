"""What browsers and crawlers ask for by themselves; it needs no sign-in and tells nothing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def favicon(_request: HttpRequest) -> HttpResponseBase:
    """Send to the icon that the pages name."""
    return HttpResponsePermanentRedirect(static("ui/icon.svg"))


@login_not_required
@require_safe
def robots(_request: HttpRequest) -> HttpResponseBase:
    """Tell crawlers to stay away."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")
