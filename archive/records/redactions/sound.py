"""The sound of a redacted copy: the original outside of the passages, silence or a quiet tone inside. Pure.

What is inside is made of nothing: it is never read. A gap of the recording, which is silence of its true length, stays
silence also where a tone would be: a tone says that something was taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.contract.segment import Samples

from .rules import Span, Spans, minus, outside, within

TONE_HZ: Final = 440
"""Of the tone; a whole number, so that it begins anew each second."""
TONE_PEAK: Final = 1036
"""Its greatest sample: 30 dB below full scale, well below speech."""
ReadFrames = Callable[[int, int], Samples]
"""Given a first frame and a number of frames, returns those samples (int16)."""


class How(StrEnum):
    """What is heard in a passage."""

    MUTE = "mute"
    TONE = "tone"


@dataclass(frozen=True)
class Plan:
    """What a redacted copy is made of."""

    frames: int
    """Length of the recording, and of the copy, in frames."""
    rate: int
    """Frames in a second."""
    passages: tuple[tuple[Span, How], ...]
    """What is taken out; passages may overlap, touch, and reach beyond the end. Silence goes before the tone."""
    gaps: Spans = ()
    """Gaps of the recording."""

    @property
    def kept(self) -> Spans:
        """What is the original's."""
        return outside([span for span, _ in self.passages], self.frames)

    @property
    def toned(self) -> Spans:
        """Where the tone is."""
        tone = [span for span, how in self.passages if how == How.TONE]
        silent = [span for span, how in self.passages if how == How.MUTE]
        return within(minus(tone, [*silent, *self.gaps]), 0, self.frames)


@lru_cache(maxsize=4)
def tone(rate: int) -> Samples:
    """Return one second of the tone; frame `n` of a copy is its sample `n % rate`, whatever piece is made."""
    turn = 2 * np.pi * TONE_HZ * np.arange(rate) / rate
    return np.round(TONE_PEAK * np.sin(turn)).astype(np.int16)


def redacted(read: ReadFrames, plan: Plan) -> ReadFrames:
    """Return what reads the copy; `read` reads the original, and is asked only for what is kept."""
    kept, toned, sine = plan.kept, plan.toned, tone(plan.rate)

    def made(first: int, frames: int) -> Samples:
        last = min(first + max(frames, 0), plan.frames)
        samples = np.zeros(max(last - first, 0), np.int16)
        for one in within(kept, first, last):
            samples[one.first - first : one.last - first] = read(one.first, one.last - one.first)
        for one in within(toned, first, last):
            samples[one.first - first : one.last - first] = sine[np.arange(one.first, one.last) % plan.rate]
        return samples

    return made


@dataclass
class Exactness:
    """What a comparison of copy and original found, counted in samples."""

    outside: int = 0
    """Compared outside of the passages."""
    inside: int = 0
    """Looked at inside of them."""
    changed: int = 0
    """Outside, and other than the original's: 0 of a copy that holds."""
    left: int = 0
    """Inside, and neither silence nor the tone that belongs there: 0 of a copy that holds."""

    @property
    def holds(self) -> bool:
        """Tell whether the copy is what it must be."""
        return self.changed == 0 and self.left == 0


def compare(found: Exactness, read: ReadFrames, first: int, made: Samples, plan: Plan) -> None:
    """Add to `found` what a piece of the copy says that begins at frame `first`; `read` reads the original.

    Nothing of how the copy was made is used: each passage marks its samples, one by one.
    """
    size = made.size
    inside, silent = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for span, how in plan.passages:
        _mark(inside, span, first)
        if how == How.MUTE:
            _mark(silent, span, first)
    for span in plan.gaps:
        _mark(silent, span, first)
    frames = np.arange(first, first + size)
    sine = TONE_PEAK * np.sin(2 * np.pi * TONE_HZ * (frames % plan.rate) / plan.rate)
    expected = np.where(silent, 0, np.round(sine).astype(np.int16))
    found.inside += int(inside.sum())
    found.left += int((inside & (made != expected)).sum())
    for begin, stop in _runs(~inside):
        original = read(first + begin, stop - begin)
        found.outside += stop - begin
        same = made[begin:stop] == original if original.size == stop - begin else np.zeros(stop - begin, np.bool_)
        found.changed += int((~same).sum())


def _mark(flags: npt.NDArray[np.bool_], span: Span, first: int) -> None:
    flags[max(span.first - first, 0) : max(span.last - first, 0)] = True


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where `flags` is true, as pairs of begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(edges[n]), int(edges[n + 1])) for n in range(0, edges.size, 2)]
