"""Listening to what is sealed: only the segments that are asked for are decrypted, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np

from appliance.contract.encryption import Identity
from appliance.contract.errors import DigestError, NotSealedError
from appliance.contract.receipt import Receipt
from appliance.contract.segment import Samples, decode
from appliance.contract.signed import digest
from archive.store.current import store

from .audio_index import AudioIndex, Part, index_of, segment_digests
from .find import check_not_destroyed
from .models import Recording, State
from .secrets import secret_of

REMEMBERED = 4
"""Decoded segments that one source keeps: a player asks for overlapping ranges."""


@dataclass
class AudioSource:
    """The audio of one sealed recording. For one thread."""

    recording: str
    package: str
    """Name of the package in the store."""
    rate: int
    """Frames in a second."""
    frames: int
    """Length in frames."""
    manifest_sha256: str
    """Digest of the package's manifest, from the receipt."""
    index: AudioIndex
    """Where the segments lie."""
    _segment: Callable[[Part, Identity], Samples] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Remember the last segments, of this source alone: they are plain audio, and end with the request."""
        decode_part = partial(_decode_part, self.package, self.manifest_sha256, self.rate)
        self._segment = lru_cache(maxsize=REMEMBERED)(decode_part)

    def read(self, first_frame: int, frames: int) -> Samples:
        """Return the int16 samples of `frames` frames from `first_frame` on, fewer where the audio ends.

        Raises DecryptionError if the key is gone, DigestError or FormatError if a segment is damaged.
        """
        first = min(max(first_frame, 0), self.frames)
        last = min(first + max(frames, 0), self.frames)
        if first == last:
            return np.zeros(0, np.int16)
        secret = secret_of(self.recording)
        parts = [
            self._segment(part, secret)[max(first - part.first_frame, 0) : max(last - part.first_frame, 0)]
            for part in self.index.covering(first, last)
        ]
        return np.concatenate(parts)


def _decode_part(package: str, manifest_sha256: str, rate: int, part: Part, secret: Identity) -> Samples:
    data = store().read_range(package, part.offset, part.size)
    if digest(data) != segment_digests(package, manifest_sha256)[32 * part.number :][:32].hex():
        raise DigestError(f"segment {part.number} of {package} is damaged in the store")
    return decode(secret.decrypt(data), part.frames, rate)


def open_audio(recording: Recording) -> AudioSource:
    """Return the audio of a sealed recording; raise NotSealedError before the seal: nobody may listen until then.

    Raises DestroyedError after its destruction.

    Whoever lets a person hear it makes the custody entry first; the worker, which draws the waveform, makes none.
    """
    check_not_destroyed(recording)
    if recording.state != State.SEALED:
        raise NotSealedError("nobody can listen to a recording before it is sealed")
    manifest = Receipt.read(bytes(recording.receipt or b""), None).manifest_sha256
    index = index_of(recording)
    return AudioSource(recording.id, recording.package, recording.rate, recording.frames, manifest, index)
