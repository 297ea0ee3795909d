"""Taking the body of a `lines` request apart: each line, and after a segment's line the bytes of its file. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.contract.errors import DigestError, FormatError, TooLargeError
from appliance.contract.header import Header
from appliance.contract.ledger import Closing, Entry, Segment
from appliance.contract.signed import MAX_LINE, digest

from . import limits


@dataclass(frozen=True)
class Item:
    """One ledger line, its signature checked."""

    line: bytes
    entry: Entry
    encrypted: bytes | None
    """The segment's file, its digest checked; None for other kinds."""


def parse(body: bytes, header: Header) -> list[Item]:
    """Return what `body` holds; raise FormatError, SignatureError, DigestError or TooLargeError that names the line."""
    items: list[Item] = []
    position = 0
    while position < len(body):
        end = body.find(b"\n", position, position + MAX_LINE) + 1
        if not end:
            raise FormatError(f"the request ends within a line, at byte {position}", field="body")
        item = _item(body, position, end, header)
        items.append(item)
        position = end + len(item.encrypted or b"")
    if not items:
        raise FormatError("the request holds no line", field="body")
    if sum(item.encrypted is not None for item in items) > limits.BATCH_SEGMENTS:
        raise TooLargeError(f"one request holds at most {limits.BATCH_SEGMENTS} segments", field="body")
    return items


def _item(body: bytes, start: int, end: int, header: Header) -> Item:
    line = body[start:end]
    entry = Entry.read(line, header.box_key)
    fact = entry.fact
    if isinstance(fact, Closing):
        _check_tail(fact, header)
    if not isinstance(fact, Segment):
        return Item(line, entry, None)
    if fact.frames > header.audio.segment_frames or fact.size > limits.segment(header):
        raise TooLargeError(
            f"line {entry.n}: a segment of this recording has at most {header.audio.segment_frames} frames",
            field="size",
        )
    encrypted = body[end : end + fact.size]
    if len(encrypted) != fact.size:
        raise DigestError(f"line {entry.n}: segment {fact.segment} is cut off in this request", field="size")
    if digest(encrypted) != fact.sha256:
        raise DigestError(f"line {entry.n}: segment {fact.segment} does not have the signed digest", field="sha256")
    return Item(line, entry, encrypted)


def _check_tail(closing: Closing, header: Header) -> None:
    numbers = [segment.segment for segment in closing.unverified_tail]
    if numbers != sorted(set(numbers)):
        raise FormatError("the unverified tail is not in order", field="unverified_tail")
    if any(segment.size > limits.segment(header) for segment in closing.unverified_tail):
        raise TooLargeError("a segment of the unverified tail is too large", field="unverified_tail")
