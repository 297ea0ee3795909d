"""Which parts of a recording somebody may hear: all of it, or only what is about a student of theirs (34 CFR 99.12).

Who knows to which meeting a part belongs stands above this app and registers itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final
from uuid import UUID

import numpy as np

from appliance.contract.errors import PlainSightError
from appliance.contract.segment import Samples
from archive.access.deeds import Deed
from archive.accounts.models import User


class OnlyAPartError(PlainSightError):
    """Somebody may hear a part of a recording, and asks for what holds all of it."""

    code = "only-a-part"
    status = 403


@dataclass(frozen=True)
class Part:
    """A part in frames."""

    first: int
    last: int | None
    """First frame behind it; None: the end of the recording."""


Parts = tuple[Part, ...]
_telling: Final[list[Callable[[User, Deed, str], Parts | None]]] = []
_about: Final[list[Callable[[UUID, str], Parts | None]]] = []


def register(parts_of: Callable[[User, Deed, str], Parts | None]) -> None:
    """Have `parts_of` tell which parts a person may hear; None means all of it."""
    _telling.append(parts_of)


def audible(user: User, deed: Deed, recording: str) -> Parts | None:
    """Return the parts to which `user` may do `deed`, whom access.decisions.may lets do it; None means all of it.

    Where several tell, only what all of them let through is left.
    """
    return _all_of(one(user, deed, recording) for one in _telling)


def register_about(parts_about: Callable[[UUID, str], Parts | None]) -> None:
    """Have `parts_about` tell which parts the parents of a student may hear; None means all of it."""
    _about.append(parts_about)


def heard_about(student: UUID, recording: str) -> Parts | None:
    """Return what the parents of a student hear of a recording, whoever plays it to them; None means all of it.

    34 CFR 99.12(a), 300.615: where a record is about several students, they inspect what is about theirs alone.
    """
    return _all_of(one(student, recording) for one in _about)


def _all_of(told: Iterable[Parts | None]) -> Parts | None:
    bounds = [one for one in told if one is not None]
    return reduce(both, bounds) if bounds else None


def both(one: Parts, other: Parts) -> Parts:
    """Return what lies in parts of both, in order."""
    found = []
    for part in one:
        for second in other:
            ends = [end for end in (part.last, second.last) if end is not None]
            first, last = max(part.first, second.first), min(ends) if ends else None
            if last is None or first < last:
                found.append(Part(first, last))
    return tuple(sorted(found, key=lambda part: part.first))


def touch(related: Parts | None, parts: Parts) -> bool:
    """Tell whether something of `related` is in `parts`; None means all of the recording."""
    return bool(parts if related is None else both(related, parts))


def silent(parts: Parts | None, total: int) -> list[tuple[int, int]]:
    """Return what of a recording of `total` frames is in none of `parts`, in order: first frame, first one behind."""
    found, at = [], 0
    for begin, stop in [] if parts is None else [*sorted(within(parts, 0, total)), (total, total)]:
        if at < begin:
            found.append((at, begin))
        at = max(at, stop)
    return found


def only(read: Callable[[int, int], Samples], parts: Parts | None, total: int) -> Callable[[int, int], Samples]:
    """Return `read` with silence in place of what is in none of `parts`; that is never decrypted.

    `total` is the length of the recording in frames.
    """
    if parts is None:
        return read

    def masked(first_frame: int, frames: int) -> Samples:
        last_frame = min(first_frame + max(frames, 0), total)
        pieces = within(parts, first_frame, last_frame)
        samples = np.zeros(max(last_frame - first_frame, 0), np.int16)
        for begin, stop in pieces:
            piece = read(begin, stop - begin)
            samples[begin - first_frame : begin - first_frame + len(piece)] = piece
        return samples

    return masked


def only_peaks(peaks: bytes, parts: Parts | None, total: int) -> bytes:
    """Return a waveform with nothing outside of `parts`; `total` is the length of the recording in frames."""
    if parts is None or not peaks:
        return peaks
    shown = bytearray(len(peaks))
    for begin, stop in within(parts, 0, total):
        first, last = begin * len(peaks) // max(total, 1), -(-stop * len(peaks) // max(total, 1))
        shown[first:last] = peaks[first:last]
    return bytes(shown)


def within(parts: Sequence[Part], first: int, last: int) -> list[tuple[int, int]]:
    """Return what of the frames `first` to `last` (behind the last one) lies in `parts`."""
    found = []
    for part in parts:
        begin, stop = max(part.first, first), last if part.last is None else min(part.last, last)
        if begin < stop:
            found.append((begin, stop))
    return found
