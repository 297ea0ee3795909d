"""When a transcript fits its recording, which of it somebody may read, what is found in it. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, TypeVar

from archive.recordings.parts import Parts
from archive.ui.words import clock_time

from .webvtt import Cue, TranscriptFileError

LATE_MS: Final = 10_000
"""So far a last cue may reach beyond the recording; it is cut there. More is a transcript of something else."""
MARGIN_MS: Final = 10_000
"""Text so near to a passage that a reader may not hear is left out as well: a captioner who writes live is some five
seconds behind, so words of the passage stand beside it."""


PART: Final = 200
"""Most cues that a page shows at once: some ten minutes of talk, and with the player under 100 kB."""


class Version(Protocol):
    """What decides which version is shown."""

    version: int
    language: str
    answered_at: datetime | None


_Version = TypeVar("_Version", bound=Version)


@dataclass(frozen=True)
class Readable:
    """What somebody may read."""

    cues: tuple[Cue, ...]
    left_out: int
    """How many cues are left out."""


def fitted(cues: Iterable[Cue], shift_ms: int, length_ms: int) -> tuple[Cue, ...]:
    """Return the cues on the recording's own time; the file's 0:00 is at `shift_ms` of it.

    Raises TranscriptFileError for words from before the recording or after it.
    """
    found = []
    for cue in cues:
        start, end = cue.start_ms + shift_ms, cue.end_ms + shift_ms
        if start < 0:
            at = clock_time(cue.start_ms / 1000)
            raise TranscriptFileError(f"The cue at {at} was said before the recording began; take it out.")
        if start >= length_ms or end > length_ms + LATE_MS:
            at, length = clock_time(cue.start_ms / 1000), clock_time(length_ms / 1000)
            raise TranscriptFileError(
                f"The cue at {at} lies beyond the end of the recording, which is {length} long. Is it of this one?"
            )
        found.append(replace(cue, start_ms=start, end_ms=min(end, length_ms)))
    return tuple(found)


def readable(cues: Sequence[Cue], parts: Parts | None, rate: int, margin_ms: int = MARGIN_MS) -> Readable:
    """Return the cues that lie in what somebody may hear (34 CFR 99.12(a)); `parts` are in frames, None means all."""
    if parts is None:
        return Readable(tuple(cues), 0)
    heard = _stretches(parts, rate, margin_ms)
    kept = tuple(
        cue
        for cue in cues
        if any(first <= cue.start_ms and (last is None or cue.end_ms <= last) for first, last in heard)
    )
    return Readable(kept, len(cues) - len(kept))


def parted(cues: Sequence[Cue]) -> list[Sequence[Cue]]:
    """Return the parts that pages show, in order; a transcript without cues has one part without cues."""
    return [cues[at : at + PART] for at in range(0, max(len(cues), 1), PART)]


def _stretches(parts: Parts, rate: int, margin_ms: int) -> list[tuple[int, int | None]]:
    """Return the parts in milliseconds, those that touch as one, each shorter by the margin where it does not end."""
    joined: list[tuple[int, int | None]] = []
    for part in sorted(parts, key=lambda one: one.first):
        before = joined[-1] if joined else None
        if before is not None and (before[1] is None or part.first <= before[1]):
            ends = None if before[1] is None or part.last is None else max(before[1], part.last)
            joined[-1] = (before[0], ends)
        else:
            joined.append((part.first, part.last))
    return [
        (
            0 if first == 0 else -(-first * 1000 // rate) + margin_ms,
            None if last is None else last * 1000 // rate - margin_ms,
        )
        for first, last in joined
    ]


def best(versions: Iterable[_Version], language: str) -> _Version | None:
    """Return the version to show first: one that is answered for, in the reader's language, the newest."""
    return max(
        versions,
        key=lambda one: (one.answered_at is not None, one.language == language, one.version),
        default=None,
    )


def folded(text: str) -> tuple[str, list[int]]:
    """Return `text` as it is searched, without case and accents, and the place of each of its letters in `text`."""
    letters, places = [], []
    for place, one in enumerate(text):
        for letter in unicodedata.normalize("NFD", one).casefold():
            if not unicodedata.combining(letter):
                letters.append(letter)
                places.append(place)
    return "".join(letters), places


def found_in(text: str, wanted: str) -> list[tuple[int, int]]:
    """Return where `wanted` stands in `text`: first letter and the one behind the last, of each place."""
    (inside, places), (needle, _) = folded(text), folded(wanted)
    spans: list[tuple[int, int]] = []
    at = inside.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        # one sign may be several letters, as the sign for ff is
        if not spans or places[at] >= spans[-1][1]:
            spans.append((places[at], places[end - 1] + 1))
        at = inside.find(needle, end)
    return spans


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Return `text` in pieces, each with whether it is one of the places in `spans`."""
    cut, at = [], 0
    for first, last in spans:
        cut += [(text[at:first], False), (text[first:last], True)]
        at = last
    return [(piece, marked) for piece, marked in [*cut, (text[at:], False)] if piece]
