"""What was acknowledged, compared sample for sample with what is found, by what the microphone really gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.contract.ledger import AnyFact
from appliance.recorder.ipc.ring import BLOCK_FRAMES

Samples = npt.NDArray[np.int16]
RATE = 48000
_TELLING = 64
"""So many samples tell one place of the microphone's file from every other."""


@dataclass(frozen=True)
class Stretch:
    """Frames of a recording that must be consecutive frames of the microphone, or silence."""

    first: int
    end: int
    silent: bool
    """They are a gap: frames that were lost, written as silence."""


def stretches(facts: Sequence[AnyFact], frames: int) -> list[Stretch]:
    """Cut a recording of so many frames at its gaps and pauses."""
    gaps = [(fact.first_frame, fact.first_frame + fact.frames) for fact in facts if fact.kind == "gap"]
    pauses = [(fact.frame, fact.frame) for fact in facts if fact.kind == "pause"]
    found: list[Stretch] = []
    at = 0
    for first, end in sorted([*gaps, *pauses]):
        if first > at:
            found.append(Stretch(at, first, silent=False))
        if end > first:
            found.append(Stretch(first, end, silent=True))
        at = max(at, end)
    return [*found, Stretch(at, frames, silent=False)] if at < frames else found


def lost(
    heard: Samples, facts: Sequence[AnyFact], acknowledged: int, raw: Samples, started: Sequence[int]
) -> tuple[int, list[str]]:
    """Return how many of the acknowledged frames are missing or wrong, and what is wrong, in words.

    `raw` is what the microphone plays over and over, `started` the places in it where streams began, in order. A
    stretch begins where a stream began, or, after a loss inside one, where the silence says. Where a stream starts
    anew, one block may hold frames of both sides, and nobody can tell where they meet: so up to a block of a new
    stream may stand before the gap, or of the old one behind it, and these count as wrong, but no others.
    """
    wrong = max(0, acknowledged - heard.size)
    problems = [f"{wrong} of {acknowledged} acknowledged frames are gone"] if wrong else []
    begun = 0
    follows: int | None = None
    before = heard[:0]
    for stretch in stretches(facts, heard.size):
        piece = heard[stretch.first : stretch.end]
        if stretch.silent:
            different = int(np.count_nonzero(piece))
            follows = None if follows is None else follows + piece.size
        else:
            candidates = [*([follows] if follows is not None else []), *started[begun:]]
            place = next((one for one in candidates if _same(raw, one, piece[:_TELLING])), None)
            begin = place
            if place is None:
                begin, place = _beside_a_mixed_block(raw, piece, started[begun:])
            if place is None:
                different = piece.size
            else:
                different = int(np.count_nonzero(piece != _take(raw, place, piece.size)))
                if begin is not None and place > begin and not _ends_with(before, _take(raw, begin, place - begin)):
                    different += place - begin
                follows = place + piece.size
                begun = started.index(begin, begun) + 1 if begin in started[begun:] else begun
            before = piece
        if different:
            kind = "a gap" if stretch.silent else "sound"
            problems.append(f"{different} frames of {kind} from frame {stretch.first} on are not what they must be")
            wrong += max(0, min(different, acknowledged - stretch.first))
    return wrong, problems


def captured(microphone: Sequence[dict[str, Any]], until_ns: int) -> int:
    """Return how many frames the microphone gave up to a moment, by its own log."""
    ended = {line["handle"]: int(line["t_ns"]) for line in microphone if line.get("device") == "closed"}
    spans = [
        (int(line["t_ns"]), min(ended.get(line["handle"], until_ns), until_ns))
        for line in microphone
        if line.get("device") == "started"
    ]
    return sum(max(0, end - since) * RATE // 1_000_000_000 for since, end in spans)


def _beside_a_mixed_block(raw: Samples, piece: Samples, started: Sequence[int]) -> tuple[int | None, int | None]:
    """Return which stream a piece is of that does not begin as one, and its own place, at most a block away from it."""
    probe = piece[BLOCK_FRAMES : BLOCK_FRAMES + _TELLING]
    for begin in started if probe.size == _TELLING else ():
        for place in range(begin - BLOCK_FRAMES, begin + BLOCK_FRAMES + 1):
            if _same(raw, place + BLOCK_FRAMES, probe):
                return begin, place
    return None, None


def _take(raw: Samples, place: int, size: int) -> Samples:
    found: Any = np.take(raw, np.arange(place, place + size), mode="wrap")
    return np.asarray(found, np.int16)


def _ends_with(piece: Samples, end: Samples) -> bool:
    return piece.size >= end.size and bool(np.array_equal(piece[piece.size - end.size :], end))


def _same(raw: Samples, place: int, piece: Samples) -> bool:
    return bool(np.array_equal(_take(raw, place, piece.size), piece))
