"""Arithmetic of passages, and what somebody must have heard to sign a redacted copy off. Pure; places are frames.

34 CFR 99.12(a) and 300.615: of a record about several students, each parent inspects what is about the own child.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FASTEST: Final = 2.0
"""Fastest speed of the players: whoever listens needs at least this part of the length, in times real time."""
AHEAD_S: Final = 180.0
"""So much sound may be sent to a player before it is heard, in seconds; more than a browser loads ahead."""


@dataclass(frozen=True, order=True)
class Span:
    """Frames `first` to `last - 1`."""

    first: int
    last: int
    """First frame behind it."""


Spans = tuple[Span, ...]


def merged(spans: Iterable[Span]) -> Spans:
    """Return the same frames in order, in as few spans as possible: what overlaps or touches is one; none is empty."""
    found: list[Span] = []
    for one in sorted(span for span in spans if span.first < span.last):
        if found and one.first <= found[-1].last:
            found[-1] = Span(found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return tuple(found)


def minus(spans: Iterable[Span], taken: Iterable[Span]) -> Spans:
    """Return the frames of `spans` that are in none of `taken`."""
    left: list[Span] = []
    holes = merged(taken)
    for one in merged(spans):
        at = one.first
        for hole in holes:
            if hole.last <= at or hole.first >= one.last:
                continue
            if at < hole.first:
                left.append(Span(at, hole.first))
            at = min(hole.last, one.last)
        if at < one.last:
            left.append(Span(at, one.last))
    return tuple(left)


def outside(spans: Iterable[Span], frames: int) -> Spans:
    """Return what of a recording of so many frames is in none of `spans`, which may reach beyond its end."""
    return minus([Span(0, frames)], spans)


def common(spans: Iterable[Span], others: Iterable[Span]) -> Spans:
    """Return the frames that are in both."""
    spans = merged(spans)
    return minus(spans, minus(spans, others))


def within(spans: Iterable[Span], first: int, last: int) -> Spans:
    """Return what of `spans` lies in frames `first` to `last - 1`."""
    return merged(Span(max(one.first, first), min(one.last, last)) for one in spans)


def length(spans: Iterable[Span]) -> int:
    """Return how many frames are in `spans`, each counted once."""
    return sum(one.last - one.first for one in merged(spans))


def heard_with(heard: Spans, sent: Span, *, elapsed_s: float, rate: int) -> Spans:
    """Return what counts as heard once `sent` was sent to a player, `elapsed_s` after the first sound was.

    No more counts than can have been played in that time at the fastest speed, and what a player loads ahead: a copy
    that is loaded at once was not listened to.
    """
    room = int((FASTEST * max(elapsed_s, 0.0) + AHEAD_S) * rate) - length(heard)
    counted: list[Span] = []
    for one in minus([sent], heard):
        if room <= 0:
            break
        counted.append(Span(one.first, min(one.last, one.first + room)))
        room -= one.last - one.first
    return merged([*heard, *counted])


def time_was_enough(needed: Iterable[Span], *, elapsed_s: float, rate: int) -> bool:
    """Tell whether `needed` can have been heard in so many seconds."""
    return elapsed_s >= length(needed) / rate / FASTEST
