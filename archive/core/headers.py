"""Headers: what every answer carries, and whose word is taken for where a form came from.

Nothing is loaded from elsewhere, and nothing is kept by caches.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class SecurityHeaders:
    """Middleware that sets the Content Security Policy, and forbids storing unless the answer says otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the headers."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "microphone=(), camera=(), geolocation=()")
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class HiddenOrigin:
    """Middleware that reads where a form came from where `Origin` and `Referer` hide it.

    Under `Referrer-Policy: no-referrer`, which proxies and browsers' settings impose, a browser sends `Origin: null`
    and no `Referer`, also for a form of our own page (Fetch standard, "append a request Origin header"); Django then
    refuses it. The browser still says `Sec-Fetch-Site: same-origin`, which no page can set (W3C Fetch Metadata). The
    form's own token is checked all the same.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the origin that the browser vouches for."""
        hidden = request.META.get("HTTP_ORIGIN", "null") == "null" and "HTTP_REFERER" not in request.META
        if hidden and request.headers.get("Sec-Fetch-Site") == "same-origin":
            request.META["HTTP_ORIGIN"] = settings.CSRF_TRUSTED_ORIGINS[0]
        return self.get_response(request)
