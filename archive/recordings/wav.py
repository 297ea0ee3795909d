"""A recording as one WAV file that exists nowhere: any span of its bytes is made when it is asked for."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.contract.segment import Samples

from .ranges import Span

HEADER_SIZE = 44
_FRAME = 2

ReadFrames = Callable[[int, int], Samples]
"""Given a first frame and a number of frames, returns those samples (int16)."""


@dataclass(frozen=True)
class WavFile:
    """The layout of the file: a RIFF header of 44 bytes, then little-endian 16-bit mono samples."""

    frames: int
    """Frames of audio."""
    rate: int
    """Frames in a second."""

    @property
    def size(self) -> int:
        """Length of the whole file in bytes."""
        return HEADER_SIZE + _FRAME * self.frames

    def header(self) -> bytes:
        """Return the RIFF header."""
        data = _FRAME * self.frames
        shape = struct.pack("<IHHIIHH", 16, 1, 1, self.rate, _FRAME * self.rate, _FRAME, 8 * _FRAME)
        return b"RIFF" + struct.pack("<I", 36 + data) + b"WAVEfmt " + shape + b"data" + struct.pack("<I", data)

    def frame_at(self, position: int) -> int:
        """Return the frame that a byte belongs to, the first one for the header."""
        return max(position - HEADER_SIZE, 0) // _FRAME

    def read(self, span: Span, frames: ReadFrames) -> Iterator[bytes]:
        """Yield the bytes of `span`, about a second at a time, asking `frames` only for what is in it."""
        if span.start < HEADER_SIZE:
            yield self.header()[span.start : span.stop]
        position = max(span.start, HEADER_SIZE)
        while position < span.stop:
            first = self.frame_at(position)
            # pieces end on whole seconds, where segments usually end, so that each is opened once
            last = min((first // self.rate + 1) * self.rate, self.frames, self.frame_at(span.stop - 1) + 1)
            data = frames(first, last - first).astype("<i2").tobytes()
            begin = HEADER_SIZE + _FRAME * first
            piece = data[position - begin : span.stop - begin]
            if not piece:
                raise ValueError(f"the audio ends before frame {first}, but {self.frames} frames were promised")
            yield piece
            position += len(piece)
