"""What a file that was brought is, by its own bytes, never by its name. Pure.

WAV: RIFF and its 64-bit form (EBU Tech 3306). FLAC: RFC 9639. MP3: ID3v2.4 section 3.1 and ISO/IEC 11172-3 section
2.4.1.3. M4A: the boxes of ISO/IEC 14496-12. Only sound is taken in (docs/policy.md, guideline 3).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from archive.records.errors import DeedError

HEAD: Final = 16
"""Bytes that tell what a file claims to be."""
_MOST_BOXES: Final = 10_000
_PICTURES: Final = {b"vide", b"pict", b"auxv"}
"""Kinds of tracks that hold pictures."""
_FOLDERS: Final = {b"moov", b"trak", b"mdia"}
"""Boxes that hold boxes, on the way to what says a track's kind."""
_AFTER_TAG: Final = 1 << 16
"""Bytes behind an ID3 tag within which the first frame must begin."""


class NotSoundError(DeedError):
    """A file is none of the kinds that are taken in."""

    code = "not-sound"
    status = 415


class MediaType(StrEnum):
    """A kind of file that is taken in, as the browser is told."""

    WAV = "audio/wav"
    FLAC = "audio/flac"
    MP3 = "audio/mpeg"
    M4A = "audio/mp4"

    @property
    def suffix(self) -> str:
        """The end of a file's name."""
        return {"audio/wav": "wav", "audio/flac": "flac", "audio/mpeg": "mp3", "audio/mp4": "m4a"}[self.value]


@dataclass(frozen=True)
class Media:
    """What a file says of itself."""

    type: MediaType
    seconds: float | None
    """Its length, where it says so; nobody checked it."""


def claimed(head: bytes) -> MediaType:
    """Return what the first `HEAD` bytes claim; raise NotSoundError for anything else."""
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return MediaType.WAV
    if head[:4] == b"fLaC":
        return MediaType.FLAC
    if head[4:8] == b"ftyp":
        return MediaType.M4A
    if head[:3] == b"ID3" or _is_mp3_frame(head[:4]):
        return MediaType.MP3
    raise NotSoundError("this is no WAV, FLAC, MP3 or M4A file; have it exported as one of these, as sound only")


def examine(file: BinaryIO) -> Media:
    """Return what the whole file says of itself; raise NotSoundError where it holds pictures or is cut to nothing."""
    file.seek(0)
    kind = claimed(file.read(HEAD))
    look = {MediaType.WAV: _wav, MediaType.FLAC: _flac, MediaType.MP3: _mp3, MediaType.M4A: _m4a}[kind]
    try:
        return Media(kind, look(file))
    except struct.error:
        raise NotSoundError(f"the {kind.suffix.upper()} file is cut off or damaged; bring another copy of it") from None


def _wav(file: BinaryIO) -> float | None:
    size, at, bytes_a_second = file.seek(0, io.SEEK_END), 12, 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"fmt ":
            (bytes_a_second,) = struct.unpack("<8xI", file.read(12))
        if name == b"data":
            if not bytes_a_second:
                break
            # a recorder that was cut off leaves a length that is none: then nobody knows it
            return length / bytes_a_second if 0 < length <= size - at - 8 else None
        at += 8 + length + length % 2
    raise NotSoundError("the WAV file has no sound in it")


def _flac(file: BinaryIO) -> float | None:
    file.seek(4)
    kind, packed = struct.unpack("<B13x8s16x", file.read(38))
    if kind & 0x7F:
        raise NotSoundError("the FLAC file does not begin as RFC 9639 says; bring another copy of it")
    bits = int.from_bytes(packed, "big")
    rate, frames = bits >> 44, bits & ((1 << 36) - 1)
    return frames / rate if rate and frames else None


def _mp3(file: BinaryIO) -> float | None:
    file.seek(0)
    at = 0
    if file.read(3) == b"ID3":
        flags, *length = struct.unpack("<2xB4B", file.read(7))
        # four bytes of seven bits; a footer repeats the header
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(length, (21, 14, 7, 0), strict=True))
        at += 10 if flags & 0x10 else 0
    file.seek(at)
    near = file.read(_AFTER_TAG)
    if not any(_is_mp3_frame(near[place : place + 4]) for place in range(len(near) - 3)):
        raise NotSoundError("the MP3 file has no sound in it")
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """Tell whether a frame of MPEG 1, 2 or 2.5, layer III, begins here."""
    if len(head) < len("head") or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and 0 < bit_rate < 15 and rate != 3


def _m4a(file: BinaryIO) -> float | None:
    seconds, kinds = None, []
    for name, at, size in _boxes(file):
        file.seek(at)
        if name == b"hdlr":
            kinds.append(struct.unpack("<8x4s", file.read(12))[0])
        if name == b"mvhd" and size:
            version = file.read(4)[0]
            scale, length = struct.unpack(">16xIQ" if version else ">8xII", file.read(28 if version else 16))
            seconds = length / scale if scale and length else None
    if _PICTURES & set(kinds):
        raise NotSoundError("the file holds pictures as well; have it exported as sound only (M4A), then bring that")
    if b"soun" not in kinds:
        raise NotSoundError("the M4A file has no sound in it")
    return seconds


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of each box at the top, and of those on the way to the tracks' kinds."""
    end = file.seek(0, io.SEEK_END)
    waiting = [(0, end)]
    seen = 0
    while waiting:
        at, stop = waiting.pop()
        while at + 8 <= stop:
            seen += 1
            if seen > _MOST_BOXES:
                raise NotSoundError("the M4A file has more parts than any recording; bring another copy of it")
            file.seek(at)
            size, name = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                (size,) = struct.unpack(">Q", file.read(8))
                head = 16
            size = size or stop - at
            if size < head or at + size > stop:
                raise NotSoundError("the M4A file is cut off or damaged; bring another copy of it")
            yield name, at + head, size - head
            if name in _FOLDERS:
                waiting.append((at + head, at + size))
            at += size
