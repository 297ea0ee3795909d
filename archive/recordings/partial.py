"""Answering requests for parts of something large (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response

from .ranges import Span, UnsatisfiableError, if_range_holds, parse

Body = Callable[[Span], Iterator[bytes]]
"""Yields the bytes of a span; called only where bytes are really sent."""


def answer(
    request: HttpRequest, *, size: int, etag: str, content_type: str, body: Body, most: int | None = None
) -> HttpResponseBase:
    """Answer GET or HEAD for `size` bytes with 200, 206, 304, 412 or 416.

    `most` cuts a part short, as section 15.3.7 allows: a player that asks for "the rest" and then reads it as slowly as
    it plays would hold a connection for hours. `body` is called before the answer exists, so that what it raises at
    once can still become an error page, and what it enters in the custody log precedes the first byte.
    """
    early = get_conditional_response(request, etag=etag)
    if early is not None:
        return early
    span: Span | None = None
    if request.method == "GET" and if_range_holds(request.headers.get("If-Range"), etag):
        try:
            span = parse(request.headers.get("Range"), size)
        except UnsatisfiableError:
            return _unsatisfiable(size, etag)
    whole = span is None
    part = span or Span(0, size)
    if not whole and most is not None:
        part = Span(part.start, min(part.stop, part.start + most))
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    else:
        response = StreamingHttpResponse(body(part), content_type=content_type, status=200 if whole else 206)
    if not whole:
        response.headers["Content-Range"] = part.content_range(size)
    response.headers["Content-Length"] = str(part.size)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    return response


def _unsatisfiable(size: int, etag: str) -> HttpResponse:
    text = f"There are {size} bytes; none of those asked for exists.\n"
    response = HttpResponse(text, status=416, content_type="text/plain; charset=utf-8")
    response.headers["Content-Range"] = f"bytes */{size}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    return response
