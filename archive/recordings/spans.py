"""Spans of audio that were sent to a player: joined, and said in whole seconds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

MOST_TOLD: Final = 60
"""Most spans that one custody entry names; a person who listens jumps some dozen times."""
Frames = tuple[int, int]
"""First frame, and first one behind."""


def joined(spans: Iterable[Frames], gap: int = 0) -> list[Frames]:
    """Return the spans in order, those made one that touch or lie at most `gap` apart; empty ones are left out."""
    found: list[Frames] = []
    for first, last in sorted(one for one in spans if one[0] < one[1]):
        if found and first <= found[-1][1] + gap:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def in_seconds(spans: Iterable[Frames], rate: int) -> tuple[list[Frames], int]:
    """Return the whole seconds that hold `spans`, and the longest gap between them that counts as sent, in seconds.

    Only where there are more than MOST_TOLD spans does any gap count, and then the shortest ones: what is told is never
    less than what was sent.
    """
    seconds = joined((first // rate, -(-last // rate)) for first, last in spans)
    gaps = sorted(after[0] - before[1] for before, after in pairwise(seconds))
    closed = gaps[-MOST_TOLD] if len(gaps) >= MOST_TOLD else 0
    return joined(seconds, closed), closed


def as_text(seconds: Iterable[Frames]) -> str:
    """Return spans of seconds as a custody entry holds them: `0-22 300-344`."""
    return " ".join(f"{first}-{last}" for first, last in seconds)


def from_text(text: str) -> list[Frames]:
    """Return the spans that `as_text` wrote; raise ValueError for another text."""
    pairs = [one.partition("-") for one in text.split()]
    return [(int(first), int(last)) for first, _, last in pairs]
