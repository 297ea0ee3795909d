"""Reading the body of a request, of a size that was decided before a byte of it is read."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from appliance.contract.errors import FormatError, TooLargeError


def read_body(request: HttpRequest, limit: int) -> bytes:
    """Return the whole body; refuse by its announced length before anything is read."""
    try:
        length = int(request.headers.get("Content-Length", ""))
    except ValueError as error:
        raise FormatError("Content-Length is missing", field="Content-Length") from error
    if not 0 < length <= limit:
        raise TooLargeError(f"a body here has 1 to {limit} bytes, not {length}", field="Content-Length")
    try:
        body = request.read(length)
    except UnreadablePostError as error:
        raise FormatError("the connection broke before the body ended", field="body") from error
    if len(body) != length:
        raise FormatError("the body is shorter than it was announced", field="body")
    return body
