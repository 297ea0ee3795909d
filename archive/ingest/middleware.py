"""What holds for every request of the boxes' interface, whatever it asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase

from appliance.contract.errors import KeyFileError, PlainSightError, StorageError
from archive.core.errors import API

from .refusals import note_refusal

_log = logging.getLogger(__name__)
UNNOTED = {401, 404, 429}
"""Statuses of refusals that nobody writes down: strangers must not fill the custody log, a box asks for its receipt
until there is one, and what is told to come later is not refused."""


class BoxInterface:
    """Middleware for the boxes' interface; it stands before the session's.

    Cookies never reach it, so that a browser that is signed in gains nothing there. Refusals are written down; they
    become answers where every error does (archive.core.errors).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        if request.path_info.startswith(API):
            request.META.pop("HTTP_COOKIE", None)
            # what stands before this, such as the choice of a language, may have read them already
            request.COOKIES = {}
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Write a refusal down."""
        if not request.path_info.startswith(API) or not isinstance(exception, PlainSightError):
            return
        if isinstance(exception, KeyFileError) or exception.status >= StorageError.status:
            return
        match = request.resolver_match
        if match is None or exception.status in UNNOTED:
            return
        try:
            note_refusal(str(match.kwargs.get("recording", "")), exception)
        except (DatabaseError, StorageError):
            _log.exception("a refusal could not be written into the custody log")
