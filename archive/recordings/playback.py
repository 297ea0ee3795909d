"""Listening to what is sealed: only the segments that are asked for are opened, in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from appliance.contract.errors import DigestError, NotSealedError
from appliance.contract.segment import Samples, decode
from appliance.contract.signed import digest
from archive.store.current import store

from .models import Recording, Segment, State
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
    _decoded: OrderedDict[int, Samples] = field(default_factory=OrderedDict, repr=False)

    def read(self, first_frame: int, frames: int) -> Samples:
        """Return the int16 samples of `frames` frames from `first_frame` on, fewer where the audio ends.

        Raises OpeningError if the key is gone, DigestError or FormatError if a segment is damaged.
        """
        first = min(max(first_frame, 0), self.frames)
        last = min(first + max(frames, 0), self.frames)
        if first == last:
            return np.zeros(0, np.int16)
        # segments may be shorter than a second, so the rows are asked instead of dividing
        start = (
            Segment.objects.filter(recording_id=self.recording, tail=False, first_frame__lte=first)
            .order_by("-first_frame")
            .values_list("first_frame", flat=True)[0]
        )
        rows = Segment.objects.filter(
            recording_id=self.recording, tail=False, first_frame__gte=start, first_frame__lt=last
        ).order_by("first_frame")
        parts = [self._segment(row)[max(first - row.first_frame, 0) : max(last - row.first_frame, 0)] for row in rows]
        return np.concatenate(parts)

    def _segment(self, row: Segment) -> Samples:
        if row.number in self._decoded:
            self._decoded.move_to_end(row.number)
            return self._decoded[row.number]
        if row.offset is None:
            raise NotSealedError(f"recording {self.recording} is not sealed")
        sealed = store().read_range(self.package, row.offset, row.size)
        if digest(sealed) != row.sha256:
            raise DigestError(f"segment {row.number} of recording {self.recording} is damaged in the store")
        samples = decode(secret_of(self.recording).open(sealed), row.frames, self.rate)
        self._decoded[row.number] = samples
        if len(self._decoded) > REMEMBERED:
            self._decoded.popitem(last=False)
        return samples


def open_audio(recording: Recording) -> AudioSource:
    """Return the audio of a sealed recording; raise NotSealedError before the seal: nobody may listen until then.

    The caller makes the custody entry first.
    """
    if recording.state != State.SEALED:
        raise NotSealedError("nobody can listen to a recording before it is sealed")
    return AudioSource(recording.id, recording.package, recording.rate, recording.frames)
