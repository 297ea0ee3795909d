"""What is left of a recording besides its restricted passages. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from archive.recordings.parts import Part, Parts


def outside(passages: Iterable[Part]) -> Parts:
    """Return the parts of a recording that lie in none of `passages`, in order; nothing is left where all is in one."""
    left: list[Part] = []
    at = 0
    for one in sorted(passages, key=lambda part: part.first):
        if at < one.first:
            left.append(Part(at, one.first))
        if one.last is None:
            return tuple(left)
        at = max(at, one.last)
    return (*left, Part(at, None))
