"""Byte ranges of HTTP (RFC 9110 section 14), pure: header text and a length in, what to send out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"^(\d*)-(\d*)$", re.ASCII)
_MOST_RANGES = 16
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `stop - 1` of something."""

    start: int
    """First byte, from 0."""
    stop: int
    """One past the last byte."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    def content_range(self, length: int) -> str:
        """Return the Content-Range field's value for this part of `length` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{length}"


class UnsatisfiableError(ValueError):
    """No byte that was asked for exists; the answer is 416."""


def parse(field: str | None, length: int) -> Span | None:
    """Return the one span that a Range field asks for, or None where the whole is to be sent.

    A field in another unit or of wrong form is ignored, as section 14.2 demands. So are several ranges that do not join
    into one: sending the whole is allowed then, and saves every reader a multipart body. Raises UnsatisfiableError.
    """
    ranges = _ranges(field)
    if ranges is None:
        return None
    spans = sorted((span for pair in ranges if (span := _resolve(pair, length))), key=lambda span: span.start)
    if not spans:
        raise UnsatisfiableError
    return _joined(spans)


def _ranges(field: str | None) -> list[tuple[int | None, int | None]] | None:
    unit, equals, rest = (field or "").partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    pairs: list[tuple[int | None, int | None]] = []
    # RFC 9110 section 5.6.1: empty list elements are skipped
    for part in filter(None, (text.strip(" \t") for text in rest.split(","))):
        match = _RANGE.match(part)
        if match is None or len(pairs) == _MOST_RANGES or max(map(len, match.groups())) > _MOST_DIGITS:
            return None
        first, last = (int(text) if text else None for text in match.groups())
        if (first is None and last is None) or (first is not None and last is not None and last < first):
            return None
        pairs.append((first, last))
    return pairs or None


def _resolve(pair: tuple[int | None, int | None], length: int) -> Span | None:
    first, last = pair
    if first is None:
        start, stop = max(length - (last or 0), 0), length
    else:
        start, stop = first, length if last is None else min(last + 1, length)
    return Span(start, stop) if start < stop else None


def _joined(spans: list[Span]) -> Span | None:
    start, stop = spans[0].start, spans[0].stop
    for span in spans[1:]:
        if span.start > stop:
            return None
        stop = max(stop, span.stop)
    return Span(start, stop)


def if_range_holds(field: str | None, etag: str) -> bool:
    """Tell whether a Range field counts (section 13.1.5): no If-Range, or one with exactly this strong entity tag.

    We send no Last-Modified, so a date never holds.
    """
    return field is None or (field.strip() == etag and not etag.startswith("W/"))
