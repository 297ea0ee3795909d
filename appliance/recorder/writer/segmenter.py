"""Cuts the timeline into segments. Pure.

A segment is what one file will hold: up to a second of samples, and the gaps that begin in it. Silence of any length
costs no memory: its segments share one array of zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from appliance.contract.ledger import Cause
from appliance.contract.segment import Samples


@dataclass(frozen=True)
class Gap:
    """Frames that were lost and are silence."""

    first_frame: int
    frames: int
    cause: Cause


@dataclass(frozen=True)
class Segment:
    """What becomes one file and its ledger lines."""

    first_frame: int
    samples: Samples
    captured_ns: int
    """CLOCK_MONOTONIC when its last frame had arrived, in nanoseconds."""
    gaps: tuple[Gap, ...]
    """Gaps that begin in it; each may reach into later segments."""
    silence: int = 0
    """Frames of it that are silence in place of lost ones."""

    @property
    def silent(self) -> bool:
        """Whether it takes no memory of its own."""
        return self.samples.base is not None


class Segmenter:
    """Cuts samples and silence, in order, into segments."""

    def __init__(self, segment_frames: int) -> None:
        self._size = segment_frames
        self._zeros = np.zeros(segment_frames, np.int16)
        self._zeros.flags.writeable = False
        self._parts: list[Samples] = []
        self._filled = 0
        self._gaps: list[Gap] = []
        self._silence = 0
        self.frames = 0
        """Frames taken so far, silence included."""
        self.silent_frames = 0
        """Frames of silence so far."""

    @property
    def waiting(self) -> int:
        """Frames that are not in a segment yet."""
        return self._filled

    def add(self, samples: Samples, captured_ns: int) -> Iterator[Segment]:
        """Add samples that arrived at `captured_ns`."""
        while samples.size:
            part, samples = samples[: self._size - self._filled], samples[self._size - self._filled :]
            yield from self._put(part, captured_ns)

    def silence(self, frames: int, cause: Cause, captured_ns: int) -> Iterator[Segment]:
        """Put `frames` of silence in place of frames that were lost for `cause`."""
        if frames > 0:
            self._gaps.append(Gap(self.frames, frames, cause))
        while frames > 0:
            part = self._zeros[: min(frames, self._size - self._filled)]
            frames -= part.size
            self._silence += part.size
            self.silent_frames += part.size
            yield from self._put(part, captured_ns)

    def flush(self, captured_ns: int) -> Iterator[Segment]:
        """Return the rest as a short segment."""
        if self._filled:
            yield self._cut(captured_ns)

    def _put(self, part: Samples, captured_ns: int) -> Iterator[Segment]:
        self._parts.append(part)
        self._filled += part.size
        self.frames += part.size
        if self._filled == self._size:
            yield self._cut(captured_ns)

    def _cut(self, captured_ns: int) -> Segment:
        whole_silence = len(self._parts) == 1 and self._parts[0].base is self._zeros
        samples = self._parts[0] if whole_silence else np.concatenate(self._parts)
        segment = Segment(self.frames - self._filled, samples, captured_ns, tuple(self._gaps), self._silence)
        self._parts, self._filled, self._gaps, self._silence = [], 0, [], 0
        return segment
