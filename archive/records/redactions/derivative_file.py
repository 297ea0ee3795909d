"""A redacted copy as one object of the store: a ZIP file of pieces that age and flac open (docs/format.md).

Pieces are padded as segments are, so that only their length decides their size: where silence is, no size tells. They
are encrypted to the recording's own key, which lies elsewhere, so what destroys the recording destroys its copies.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, BinaryIO, Final, Protocol

import numpy as np

from appliance.contract import segment
from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import DigestError, FormatError
from appliance.contract.segment import Samples
from appliance.contract.signed import digest

PIECE_S: Final = 10
"""Length of a piece in seconds, the last one's excepted."""
FACTS: Final = "derivative.json"
MANIFEST: Final = "manifest-sha256.txt"
REMEMBERED: Final = 2
"""Decoded pieces that one reader keeps."""
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of every member: when a copy was made stands in the custody log."""


@dataclass(frozen=True)
class DerivativeFacts:
    """What the file says of itself, and needs to be read; where something was taken out stands in the database."""

    recording: str
    """The recording that it was made of."""
    redaction: str
    """Its own identifier."""
    rate: int
    """Frames in a second."""
    frames: int
    """Length in frames."""

    @property
    def piece_frames(self) -> int:
        """Frames of a piece, the last one's excepted."""
        return PIECE_S * self.rate

    def frames_of(self, number: int) -> int:
        """Return the frames of a piece."""
        return min(self.piece_frames, self.frames - number * self.piece_frames)


class Sink(Protocol):
    """Where bytes are appended."""

    def write(self, data: bytes) -> int:
        """Append bytes."""


class _Appending(io.RawIOBase):
    """A sink as zipfile wants it: it cannot be sought, so every member's sizes follow its bytes."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self.given_up = False

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append some bytes."""
        piece = bytes(data)
        return len(piece) if self.given_up else self._sink.write(piece)


def piece_name(number: int) -> str:
    """Return the member that holds a piece."""
    return f"segments/{number:06d}.flac.age"


class DerivativeWriter:
    """Writes a derivative, a piece at a time."""

    def __init__(self, sink: Sink, facts: DerivativeFacts, recipient: str) -> None:
        self._file = _Appending(sink)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self._facts, self._recipient = facts, recipient
        self._lines: list[str] = []
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._feed = self._md5.update
        self._number = 0

    def add(self, samples: Samples) -> None:
        """Append the next piece; raise FormatError for one of another length than comes next."""
        if samples.size != self._facts.frames_of(self._number):
            raise FormatError(f"piece {self._number} has {samples.size} frames; this is a defect, report it")
        self._feed(samples.astype("<i2").tobytes())
        self._put(piece_name(self._number), encrypt(segment.encode(samples, self._facts.rate), [self._recipient]))
        self._number += 1

    def finish(self) -> tuple[str, bytes]:
        """Complete the file; return the digest of its manifest and the MD5 of all samples, as FLAC has it."""
        self._put(FACTS, json.dumps(asdict(self._facts), sort_keys=True).encode() + b"\n")
        manifest = "".join(self._lines).encode("ascii")
        self._zip.writestr(zipfile.ZipInfo(MANIFEST, _DATE), manifest)
        self._zip.close()
        return digest(manifest), self._md5.digest()

    def give_up(self) -> None:
        """Write nothing more; a file that was completed is left as it is."""
        self._file.given_up = True
        self._zip.close()

    def _put(self, name: str, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _DATE), data)
        self._lines.append(f"{digest(data)}  {name}\n")


class DerivativeReader:
    """Reads a derivative, of which a digest vouches for the manifest, and that for every piece. For one thread."""

    def __init__(
        self, file: BinaryIO, facts: DerivativeFacts, manifest_sha256: str, secret: Callable[[], Identity]
    ) -> None:
        """`secret` is asked for the key with each piece, so that a destroyed one opens nothing more.

        Raises DigestError or FormatError for a file that is not the one that was made.
        """
        try:
            self._zip = zipfile.ZipFile(file)
            manifest = self._zip.read(MANIFEST)
        except (zipfile.BadZipFile, KeyError) as error:
            raise FormatError(f"the redacted copy {facts.redaction} is damaged: {error}") from error
        if digest(manifest) != manifest_sha256:
            raise DigestError(f"the manifest of the redacted copy {facts.redaction} is not the one that was made")
        self._facts, self._secret = facts, secret
        # 64 digits, two spaces, the name
        self._digests = {line[66:]: line[:64] for line in manifest.decode("ascii").splitlines()}
        self._piece = lru_cache(maxsize=REMEMBERED)(self._decode)

    @property
    def frames(self) -> int:
        """Its length in frames."""
        return self._facts.frames

    def read(self, first_frame: int, frames: int) -> Samples:
        """Return the samples of `frames` frames from `first_frame` on, fewer where it ends.

        Raises DecryptionError if the key is gone, DigestError or FormatError if a piece is damaged.
        """
        first = min(max(first_frame, 0), self._facts.frames)
        last = min(first + max(frames, 0), self._facts.frames)
        if first == last:
            return np.zeros(0, np.int16)
        size = self._facts.piece_frames
        parts = []
        for number in range(first // size, -(-last // size)):
            begin = number * size
            parts.append(self._piece(number)[max(first - begin, 0) : last - begin])
        return np.concatenate(parts)

    def _decode(self, number: int) -> Samples:
        name = piece_name(number)
        try:
            data = self._zip.read(name)
        except (zipfile.BadZipFile, KeyError) as error:
            raise FormatError(f"{name} of the redacted copy {self._facts.redaction} is damaged: {error}") from error
        if digest(data) != self._digests.get(name):
            raise DigestError(f"{name} of the redacted copy {self._facts.redaction} is not the one that was made")
        return segment.decode(self._secret().decrypt(data), self._facts.frames_of(number), self._facts.rate)
