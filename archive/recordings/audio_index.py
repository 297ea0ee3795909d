"""Where the audio lies in a sealed package: computed from the sizes of its segments (docs/format.md section 5.4)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from appliance.contract.errors import DigestError, FormatError
from appliance.contract.header import Header
from appliance.contract.ledger import Entry, Segment
from appliance.contract.package import PAYLOAD, TAG_FILES, segment_name
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest, split_lines
from appliance.contract.zip_profile import LOCAL, leading_members, read_member
from archive.store.base import open_object
from archive.store.current import store

from .models import PackageIndex, Recording

Numbers = npt.NDArray[np.int64]
_U32: Final = np.dtype("<u4")
_FRONT: Final = len(TAG_FILES) + len(PAYLOAD)
"""Members before the first segment."""


@dataclass(frozen=True)
class Part:
    """One segment's place."""

    number: int
    """Its number, from 0."""
    first_frame: int
    """Its place in the audio, in frames."""
    frames: int
    """Its length in frames."""
    offset: int
    """Where its bytes begin in the package."""
    size: int
    """How many bytes it has."""


@dataclass(frozen=True)
class AudioIndex:
    """The places of all segments of one package."""

    first_byte: int
    """Where the first segment's local header begins, in bytes."""
    header_size: int
    """Size of every segment's local header in bytes: its fixed part and a name of fixed length."""
    sizes: Numbers
    """Bytes of each segment."""
    frames: Numbers
    """Frames of each segment."""

    @cached_property
    def _first_frames(self) -> Numbers:
        return np.concatenate(([0], np.cumsum(self.frames)))

    @cached_property
    def _offsets(self) -> Numbers:
        before = np.concatenate(([0], np.cumsum(self.sizes)[:-1])) if self.sizes.size else self.sizes
        return self.first_byte + before + self.header_size * np.arange(1, self.sizes.size + 1)

    def covering(self, first: int, last: int) -> list[Part]:
        """Return the segments that hold frames `first` to `last - 1`, in order."""
        start = int(np.searchsorted(self._first_frames, first, side="right")) - 1
        stop = int(np.searchsorted(self._first_frames, last, side="left"))
        return [
            Part(n, int(self._first_frames[n]), int(self.frames[n]), int(self._offsets[n]), int(self.sizes[n]))
            for n in range(max(start, 0), min(stop, self.sizes.size))
        ]


def index_of(row: Recording) -> AudioIndex:
    """Return a sealed recording's index; make it again from the package if it is lost."""
    kept = PackageIndex.objects.filter(pk=row.pk).first()
    if kept is None:
        with open_object(store(), row.package) as file:
            kept = build_index(file, row.pk, Receipt.read(bytes(row.receipt or b""), None))
        kept.save()
    sizes = unpacked(bytes(kept.sizes))
    frames = np.full(sizes.size, kept.segment_frames, np.int64)
    short = np.frombuffer(bytes(kept.short), _U32).reshape(-1, 2)
    frames[short[:, 0]] = short[:, 1]
    return AudioIndex(kept.first_byte, LOCAL.size + len(f"{row.pk}/{segment_name(0)}"), sizes, frames)


def build_index(file: BinaryIO, recording: str, receipt: Receipt) -> PackageIndex:
    """Return the index of the package in `file`, from the ledger that the receipt names; it is not saved."""
    members = dict(zip([*TAG_FILES, *PAYLOAD], leading_members(file, _FRONT), strict=True))
    ledger = read_member(file, members["data/ledger.tsv"])
    if digest(ledger) != receipt.ledger_sha256:
        raise DigestError(f"the ledger in the package of {recording} is not the one that the receipt names")
    whole = Header.read(read_member(file, members["data/header.tsv"]), None).audio.segment_frames
    sizes, short = [], []
    for line in split_lines(ledger):
        fact = Entry.read(line, None).fact
        if isinstance(fact, Segment):
            sizes.append(fact.size)
            if fact.frames != whole:
                short += [fact.segment, fact.frames]
    last = members[PAYLOAD[-1]]
    return PackageIndex(
        recording_id=recording,
        first_byte=last.offset + last.size,
        segment_frames=whole,
        sizes=packed(sizes),
        short=np.array(short, _U32).tobytes(),
    )


def packed(sizes: Sequence[int]) -> bytes:
    """Return the sizes of segments in few bytes: 32-bit integers, little-endian, the same byte of all of them together.

    Segments are padded and then encrypted, with a stanza of random length, so the sizes of all differ by less than a
    few hundred: of four bytes three hardly change, and zlib leaves almost nothing of them.
    """
    return zlib.compress(np.array(sizes, _U32).view(np.uint8).reshape(-1, _U32.itemsize).T.tobytes(), 9)


def unpacked(data: bytes) -> Numbers:
    """Return the sizes that `packed` made `data` of."""
    planes = np.frombuffer(zlib.decompress(data), np.uint8).reshape(_U32.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(_U32).ravel().astype(np.int64)


@lru_cache(maxsize=16)
def segment_digests(package: str, manifest_sha256: str) -> bytes:
    """Return the digest of every segment, 32 bytes each, from the manifest that the receipt names.

    Whoever can encrypt to the recording could put another segment of equal size into the package; the manifest, which
    the archive signed, tells.
    """
    with open_object(store(), package) as file:
        manifest = read_member(file, leading_members(file, 3)[TAG_FILES.index("manifest-sha256.txt")])
    if digest(manifest) != manifest_sha256:
        raise DigestError(f"the manifest of {package} is not the one that the receipt names")
    lines = manifest.decode("ascii").splitlines()
    try:
        return b"".join(bytes.fromhex(line[:64]) for line in lines if "  data/segments/" in line)
    except ValueError as error:
        raise FormatError(f"the manifest of {package} holds no digests") from error
