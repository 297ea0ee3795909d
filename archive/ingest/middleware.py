"""Cookies never reach the boxes' interface: a browser that is signed in gains nothing there."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

PLACE = "/api/"


class NoCookies:
    """Middleware that takes the cookies off requests to the boxes' interface; it stands before the session's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if request.path_info.startswith(PLACE):
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)
