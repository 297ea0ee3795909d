"""The boxes' HTTP interface (docs/format.md section 3). Signatures decide; cookies and sign-ins mean nothing here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from appliance.contract.errors import NotSealedError, UnknownRecordingError
from appliance.contract.ids import RECORDING_PATTERN
from appliance.contract.request_signature import NONCE
from archive.core.bodies import read_body
from archive.recordings.find import find, upload_state
from archive.recordings.models import Recording, State

from . import limits
from .accept_lines import accept_lines
from .accept_start import accept_header, accept_key
from .accept_tail import accept_tail, tail_segment
from .authentication import SENDER, Sender, authenticate, check_body, new_nonce

View = TypeVar("View", bound=Callable[..., HttpResponse])


def for_boxes(method: str) -> Callable[[View], View]:
    """Make a view one that boxes use: no sign-in and no CSRF token, but a courier's signature, also over `method`.

    Another method is refused before (archive.access.middleware).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, recording: str, *args: Any, **kwargs: Any) -> HttpResponse:
            if not re.match(RECORDING_PATTERN, recording):
                raise UnknownRecordingError("a recording is named by 32 hexadecimal digits")
            sender = request.META.get(SENDER) or authenticate(method, request.path_info, request.headers)
            answer = view(request, Asked(recording, sender), *args, **kwargs)
            answer.headers[NONCE] = new_nonce()
            return answer

        return cast("View", login_not_required(csrf_exempt(checked)))

    return decorate


@dataclass(frozen=True)
class Asked:
    """What a box asks about, and who it is."""

    recording: str
    """32 hexadecimal digits."""
    sender: Sender

    def row(self) -> Recording:
        """Return the recording; raise UnknownRecordingError, also for another box's: nobody learns that it exists."""
        row = find(self.recording)
        if row.box_id not in self.sender.boxes:
            raise UnknownRecordingError(f"the archive has no recording {self.recording!r} of {self.sender.box}")
        return row

    def body(self, request: HttpRequest, limit: int) -> bytes:
        """Return the whole body; refuse by its announced length before anything is read."""
        body = read_body(request, limit)
        check_body(self.sender.claim, body)
        return body


@for_boxes("PUT")
def header(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Take `header.tsv`."""
    new = accept_header(asked.recording, asked.sender, asked.body(request, limits.HEADER))
    return HttpResponse(status=201 if new else 200)


@for_boxes("PUT")
def key(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Take `key.age`."""
    new = accept_key(asked.row(), asked.sender.recorder_keys, asked.body(request, limits.KEY))
    return HttpResponse(status=201 if new else 200)


@for_boxes("POST")
def lines(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Take ledger lines and the segments that they name."""
    row = asked.row()
    body = asked.body(request, limits.batch(row.signed_header))
    return JsonResponse(_known(accept_lines(row, asked.sender.recorder_keys, body).model_dump(mode="json")))


@for_boxes("PUT")
def tail(request: HttpRequest, asked: Asked, number: int) -> HttpResponse:
    """Take one segment of the unverified tail."""
    row = asked.row()
    new = accept_tail(row, asked.sender.recorder_keys, number, asked.body(request, tail_segment(row, number).size))
    return HttpResponse(status=201 if new else 200)


@for_boxes("GET")
def state(_request: HttpRequest, asked: Asked) -> HttpResponse:
    """Tell how far a recording got."""
    return JsonResponse(_known(upload_state(asked.row()).model_dump(mode="json")))


@for_boxes("GET")
def receipt(_request: HttpRequest, asked: Asked) -> HttpResponse:
    """Hand out the signed receipt."""
    row = asked.row()
    if row.state != State.SEALED or row.receipt is None:
        raise NotSealedError("the recording is not sealed yet")
    return HttpResponse(bytes(row.receipt), content_type="text/tab-separated-values")


def _known(members: dict[str, object]) -> dict[str, object]:
    """Leave out what the format does not list."""
    return {name: value for name, value in members.items() if name != "version"}
