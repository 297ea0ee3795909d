"""Cutting a ledger into batches: lines, each segment line followed by its segment (docs/format.md section 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.contract.durable_files import read_bounded
from appliance.contract.errors import FormatError
from appliance.contract.paths import LEDGER, segment_path
from appliance.contract.signed import MAX_LINE, parse_json, split

MAX_SEGMENTS = 10
"""Segments in one request."""
MAX_LINE_BYTES = 1 << 20
"""A request takes no further line once its lines have this many bytes; the longest line has twice as many."""
MAX_SEGMENT_BYTES = 1 << 20
"""No segment is larger: one second at 192 kHz, 16 bits, takes 389,000 bytes."""


@dataclass(frozen=True)
class Batch:
    """Lines that follow on each other, with their segments."""

    first: int
    """Number of the first line."""
    lines: int
    """How many lines."""
    segments: int
    """How many of them are followed by a segment."""
    body: bytes
    """The request's body."""
    full: bool
    """Whether further lines wait that did not fit."""

    @property
    def next_line(self) -> int:
        """The line that must follow."""
        return self.first + self.lines


class BatchReader:
    """Reads one recording's batches, and remembers its place, so that the ledger is read only once."""

    def __init__(self, folder: Path) -> None:
        """Read the recording in `folder`."""
        self._folder = folder
        self._places: list[tuple[int, int]] = [(0, 0)]

    def read_batch(self, first: int, limit: int | None, max_segments: int = MAX_SEGMENTS) -> Batch:
        """Return the next lines from `first` on, below `limit`; an empty batch if there are none.

        Raises OSError if something cannot be read or has vanished, and FormatError if it is not what the format says.
        """
        path = self._folder / LEDGER
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            if not self._seek(file, first):
                return Batch(first, 0, 0, b"", full=False)
            start = end = file.tell()
            parts: list[bytes] = []
            line_bytes = segments = count = 0
            full = False
            while limit is None or first + count < limit:
                line = _line(file)
                if line is None:
                    break
                members = parse_json(split(line)[0])
                is_segment = members.get("kind") == "segment"
                full = line_bytes >= MAX_LINE_BYTES or (is_segment and segments == max_segments)
                if full:
                    break
                parts.append(line)
                if is_segment:
                    segments += 1
                    parts.append(self._segment(members))
                count += 1
                line_bytes += len(line)
                end = file.tell()
        self._places = [(0, 0), (first, start), (first + count, end)]
        return Batch(first, count, segments, b"".join(parts), full)

    def tail(self, number: int) -> bytes:
        """Return an unverified segment."""
        return read_bounded(self._path(number), MAX_SEGMENT_BYTES)

    def _segment(self, members: dict[str, object]) -> bytes:
        number, size = members.get("segment"), members.get("size")
        if not isinstance(number, int) or not isinstance(size, int):
            raise FormatError("a segment line names no segment and size", field="segment")
        data = read_bounded(self._path(number), MAX_SEGMENT_BYTES)
        if len(data) != size:
            raise FormatError(f"segment {number} has {len(data)} bytes, and its ledger line says {size}")
        return data

    def _path(self, number: int) -> Path:
        if not 0 <= number < 100_000_000:
            raise FormatError(f"{number} is no segment's number", field="segment")
        return self._folder / segment_path(number)

    def _seek(self, file: BinaryIO, wanted: int) -> bool:
        """Go to the begin of line `wanted`; tell whether the ledger reaches that far."""
        line, offset = max(place for place in self._places if place[0] <= wanted)
        file.seek(offset)
        while line < wanted:
            if _line(file) is None:
                return False
            line += 1
        return True


def _line(file: BinaryIO) -> bytes | None:
    line = file.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise FormatError(f"a ledger line is longer than {MAX_LINE} bytes")
    return line if line.endswith(b"\n") else None
