"""The audio itself: opened, decoded, and silent exactly where the ledger says that frames were lost."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, FormatError
from appliance.contract.ledger import Segment
from appliance.contract.package import segment_name
from appliance.contract.segment import decode, frames_inside

from .bag import Bag
from .evidence import Evidence, duration


@dataclass(frozen=True, repr=False)
class Sealed:
    """One segment and all that is needed to open it, in this process or in another."""

    name: str
    data: bytes
    frames: int
    rate: int
    silent: tuple[tuple[int, int], ...]
    """First frame, and the frame behind the last, of each run that the ledger calls lost."""
    secret: bytes
    """The recording's identity (`Identity.secret_line`)."""


@dataclass(frozen=True)
class Opened:
    """What opening a segment gave."""

    samples: bytes
    """Little-endian 16-bit samples; empty where something is wrong."""
    problem: str
    """What is wrong, and where; empty if nothing is."""


Spread = Callable[[Callable[[Sealed], Opened], Iterator[Sealed]], Iterator[Opened]]
"""Applies the function to each, and yields the results in order: `map`, or the same in several processes."""


def open_segment(sealed: Sealed) -> Opened:
    """Open one segment; never raises for anything that it may hold."""
    try:
        samples = decode(_identity(sealed.secret).decrypt(sealed.data), sealed.frames, sealed.rate)
    except (FormatError, DecryptionError) as error:
        return Opened(b"", f"{sealed.name}: {error.message}")
    if any(samples[start:end].any() for start, end in sealed.silent):
        return Opened(b"", f"{sealed.name}: frames that the ledger calls lost are not silent")
    return Opened(samples.astype("<i2").tobytes(), "")


@lru_cache(maxsize=1)
def _identity(secret: bytes) -> Identity:
    return Identity.parse(secret.decode("ascii"))


class AudioCheck:
    """Opens every segment while its bytes are there for their digest, so that a package is read once."""

    def __init__(self, evidence: Evidence, identity: Identity, spread: Spread) -> None:
        self._rate = evidence.header.audio.rate
        self._gaps = [(gap.first_frame, gap.first_frame + gap.frames) for gap in evidence.gaps]
        self._ends = [end for _, end in self._gaps]
        self._secret = identity.secret_line()
        self._spread = spread
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._problem = ""
        self._count = 0

    def open(self, segments: Iterable[tuple[Segment, bytes]]) -> None:
        """Open all of them, in order; what is wrong is told by `result`, after what encloses them was checked."""
        for opened in self._spread(open_segment, (self._sealed(entry, data) for entry, data in segments)):
            self._count += 1
            self._problem = self._problem or opened.problem
            self._md5.update(opened.samples)

    def result(self) -> tuple[str, str]:
        """Return what was checked, and the MD5 of all samples as FLAC counts it; raise FormatError."""
        if self._problem:
            raise FormatError(self._problem)
        told = f"all {self._count} segments open, and decode to exactly the frames that the ledger says"
        return told, self._md5.hexdigest()

    def _sealed(self, entry: Segment, data: bytes) -> Sealed:
        first, end = entry.first_frame, entry.first_frame + entry.frames
        silent = []
        for start, stop in self._gaps[bisect_right(self._ends, first) :]:
            if start >= end:
                break
            silent.append((max(start - first, 0), min(stop - first, entry.frames)))
        return Sealed(segment_name(entry.segment), data, entry.frames, self._rate, tuple(silent), self._secret)


def check_tail(bag: Bag, evidence: Evidence, identity: Identity) -> str:
    """Open what the box found without a ledger line; return how much of it is audio. None of it counts as verified."""
    sound, frames = 0, 0
    for part in evidence.tail:
        try:
            plain = identity.decrypt(bag.read(segment_name(part.segment, tail=True)))
            frames += int(decode(plain, frames_inside(plain), evidence.header.audio.rate).size)
        except (FormatError, DecryptionError):
            continue
        sound += 1
    seconds = duration(frames / evidence.header.audio.rate)
    return f"{sound} of {len(evidence.tail)} segments of the unverified tail open and hold {seconds} of audio"
