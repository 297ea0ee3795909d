"""A whole recording as one FLAC stream, encoded while it is sent: a second at a time in memory, nothing on a disk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import soundfile

from archive.ui.words import in_both, notice

from .wav import ReadFrames

_STREAMINFO: Final = 8
"""Where STREAMINFO begins: behind `fLaC` and the head of its block (RFC 9639 sections 6 and 8.1)."""
_SHAPE: Final = slice(_STREAMINFO + 10, _STREAMINFO + 18)
"""In it: rate, channels, bits, and in the last 36 bits the number of frames (RFC 9639 section 8.2)."""
_MD5: Final = slice(_STREAMINFO + 18, _STREAMINFO + 34)


class _Pipe(io.RawIOBase):
    """Where the encoder writes to: forward only. What it would go back for at its end is sent before already."""

    def __init__(self) -> None:
        super().__init__()
        self._at, self._end = 0, 0
        self._ready = bytearray()

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # typeshed wants a Buffer, which Python 3.11 cannot name
        if self._at == self._end:
            self._ready += piece
            self._end += len(piece)
        self._at += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        piece = bytes(self._ready)
        self._ready.clear()
        return piece


def stream(
    recording: str, frames: int, rate: int, read: ReadFrames, *, md5: bytes = b"", papers: str = ""
) -> Iterator[bytes]:
    """Yield the stream; `md5` is that of the samples where it is known, and zeros, as the format allows, where not.

    `papers` is what the file says of itself behind the notice: where it is silent, and what it lacks.
    Its head names the number of frames, so a stream that ends early, because a segment is damaged, is seen to be cut.
    """
    pipe = _Pipe()
    head = True
    with soundfile.SoundFile(pipe, "w", samplerate=rate, channels=1, format="FLAC", subtype="PCM_16") as out:
        out.title = recording
        out.comment = "\n\n".join(filter(None, [in_both(notice), papers.strip()]))
        for first in range(0, frames, rate):
            out.write(read(first, rate))
            if piece := pipe.take():
                yield _with_facts(piece, frames, md5) if head else piece
                head = False
    yield _with_facts(pipe.take(), frames, md5) if head else pipe.take()


def _with_facts(piece: bytes, frames: int, md5: bytes) -> bytes:
    changed = bytearray(piece)
    shape = int.from_bytes(changed[_SHAPE], "big")
    changed[_SHAPE] = (shape >> 36 << 36 | frames).to_bytes(8, "big")
    changed[_MD5] = md5 or bytes(16)
    return bytes(changed)
