"""A whole recording as one FLAC stream, made in memory: no plaintext touches a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import soundfile

from archive.ui.words import NOTICE

from .wav import ReadFrames

_CHUNK = 1 << 18


def encode(recording: str, frames: int, rate: int, read: ReadFrames) -> BinaryIO:
    """Return an anonymous in-memory file, at its start, that holds the whole audio with its length and MD5."""
    descriptor = os.memfd_create("plainsight-flac", os.MFD_CLOEXEC)
    with ExitStack() as on_failure:
        file = on_failure.enter_context(os.fdopen(descriptor, "w+b"))
        with soundfile.SoundFile(file, "w", samplerate=rate, channels=1, format="FLAC", subtype="PCM_16") as out:
            out.title = recording
            out.comment = NOTICE
            for first in range(0, frames, rate):
                out.write(read(first, rate))
        file.seek(0)
        on_failure.pop_all()
    return file


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of `file`, then close it."""
    with file:
        while piece := file.read(_CHUNK):
            yield piece


def size(file: BinaryIO) -> int:
    """Return the length of `file` in bytes."""
    return os.fstat(file.fileno()).st_size
