"""The boxes' HTTP interface (docs/format.md section 3). Signatures decide; cookies and sign-ins mean nothing here."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from appliance.contract.errors import (
    NotSealedError,
    PlainSightError,
    UnknownRecordingError,
)
from appliance.contract.ids import RECORDING_PATTERN
from archive.core.bodies import read_body
from archive.recordings.find import find, upload_state
from archive.recordings.models import State

from . import limits
from .accept_lines import accept_lines
from .accept_start import accept_header, accept_key
from .accept_tail import accept_tail, tail_segment

View = TypeVar("View", bound=Callable[..., HttpResponse])


class MethodError(PlainSightError):
    """The address exists, but not for this method."""

    code = "bad-method"
    status = 405


def for_boxes(method: str) -> Callable[[View], View]:
    """Make a view one that boxes use, with `method` only: no sign-in, and no CSRF token."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, recording: str, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != method:
                raise MethodError(f"use {method} here")
            if not re.match(RECORDING_PATTERN, recording):
                raise UnknownRecordingError("a recording is named by 32 hexadecimal digits")
            return view(request, recording, *args, **kwargs)

        return cast("View", login_not_required(csrf_exempt(checked)))

    return decorate


@for_boxes("PUT")
def header(request: HttpRequest, recording: str) -> HttpResponse:
    """Take `header.tsv`."""
    new = accept_header(recording, read_body(request, limits.HEADER))
    return HttpResponse(status=201 if new else 200)


@for_boxes("PUT")
def key(request: HttpRequest, recording: str) -> HttpResponse:
    """Take `key.age`."""
    find(recording)
    new = accept_key(recording, read_body(request, limits.KEY))
    return HttpResponse(status=201 if new else 200)


@for_boxes("POST")
def lines(request: HttpRequest, recording: str) -> HttpResponse:
    """Take ledger lines and the segments that they name."""
    body = read_body(request, limits.batch(find(recording).signed_header))
    return JsonResponse(_known(accept_lines(recording, body).model_dump(mode="json")))


@for_boxes("PUT")
def tail(request: HttpRequest, recording: str, number: int) -> HttpResponse:
    """Take one segment of the unverified tail."""
    new = accept_tail(recording, number, read_body(request, tail_segment(find(recording), number).size))
    return HttpResponse(status=201 if new else 200)


@for_boxes("GET")
def state(request: HttpRequest, recording: str) -> HttpResponse:  # noqa: ARG001 - views are called so
    """Tell how far a recording got."""
    return JsonResponse(_known(upload_state(find(recording)).model_dump(mode="json")))


@for_boxes("GET")
def receipt(request: HttpRequest, recording: str) -> HttpResponse:  # noqa: ARG001 - views are called so
    """Hand out the signed receipt."""
    row = find(recording)
    if row.state != State.SEALED or row.receipt is None:
        raise NotSealedError("the recording is not sealed yet")
    return HttpResponse(bytes(row.receipt), content_type="text/tab-separated-values")


def _known(members: dict[str, object]) -> dict[str, object]:
    """Leave out what the format does not list."""
    return {name: value for name, value in members.items() if name != "version"}
