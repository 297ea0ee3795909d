"""What goes wrong on purpose, told as a page, or as JSON where JSON was asked for."""

from __future__ import annotations

import functools
import logging
from typing import Final

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render

from appliance.contract.errors import PlainSightError, StorageError
from archive.access.permissions import View

_log = logging.getLogger(__name__)
WORDS: Final[dict[str, tuple[str, str]]] = {
    "unknown-recording": ("There is no such recording", "The archive has no recording with this identifier."),
    "not-sealed": ("Not sealed yet", "Nobody can listen to a recording or take a copy of it before it is sealed."),
    "cannot-open": (
        "This recording cannot be opened",
        "Its key is not in the key store, or does not fit. Nothing was played or handed out.",
    ),
    "bad-key": ("The archive's keys cannot be read", "Nothing was played or handed out."),
    "bad-digest": ("A part of this recording is damaged", "Verify the recording; it can be restored from its copy."),
    "bad-format": ("A part of this recording is damaged", "Verify the recording; it can be restored from its copy."),
    "storage": ("The archive's disk did not answer rightly", "Nothing was lost. Try again in a minute."),
}


def plainly(view: View, *, json: bool = False) -> View:
    """Wrap a view so that every PlainSightError becomes an answer a person (or, with `json`, a program) can use."""

    @functools.wraps(view)
    def told(request: HttpRequest, *args: str, **arguments: str) -> HttpResponseBase:
        try:
            return view(request, *args, **arguments)
        except PlainSightError as error:
            return _answer(request, error, json=json)

    return told


def _answer(request: HttpRequest, error: PlainSightError, *, json: bool) -> HttpResponseBase:
    if not json and error.status >= StorageError.status:
        _log.error("%s: %s", request.path, error.message)
    if json:
        return JsonResponse(error.as_json(), status=error.status)
    heading, message = WORDS.get(error.code, ("The archive could not do that", ""))
    # a code's own message may speak to a box or to whoever runs the host: it comes second
    detail = "" if error.code == "unknown-recording" else f"In detail: {error.message}."
    words = {"heading": heading, "message": message, "advice": detail}
    status = error.status if error.status >= 400 else 500
    return render(request, "ui/problem.html", words, status=status)
