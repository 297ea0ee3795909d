"""The waveform of a sealed recording: how loud each part of it is, made once after the seal.

Levels tell who spoke when, so they are protected as the audio is: encrypted to the recording's own key, and shown to
whoever may listen. Whoever destroys the key destroys them too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from appliance.contract.encryption import encrypt
from appliance.contract.errors import DecryptionError, PlainSightError
from appliance.contract.segment import Samples
from appliance.contract.stop_signal import StopSignal
from archive.core.leases import MINE, Holder

from .models import Recording, State, Waveform
from .playback import AudioSource, open_audio
from .secrets import secret_of
from .verification import StoppedError

POINTS: Final = 1600
"""Points of a waveform, each one byte; a shorter recording has as many as it has frames. Four to each drawn bar, and so
many that, encrypted, two fit into one page of SQLite: with 2,000 each waveform would take a whole one."""
FLOOR_DB: Final = 60.0
"""So far below full scale, in decibels, a peak is 0; full scale is 255, and the steps between are equal in decibels."""
LOOK_S: Final = 2.0
"""Pause between two looks for a recording without a waveform, in seconds."""
ALL_S: Final = 3600.0
"""How often all recordings are looked through, also old ones and those that failed, in seconds."""
RECENT: Final = timedelta(days=2)
"""Meanwhile only recordings made so lately are looked at."""
_FULL_SCALE: Final = 32768.0
_log = logging.getLogger(__name__)
Peaks = npt.NDArray[np.uint8]


def levels_of(peaks: npt.NDArray[np.int64]) -> Peaks:
    """Return greatest absolute samples (0 to 32768) as bytes: 0 from `FLOOR_DB` below full scale, 255 at full scale."""
    decibels = 20 * np.log10(np.maximum(peaks, 1) / _FULL_SCALE)
    return np.round(255 * np.clip(1 + decibels / FLOOR_DB, 0, 1)).astype(np.uint8)


def measure(frames: int, rate: int, read: Callable[[int, int], Samples], points: int = POINTS) -> Peaks:
    """Return the peaks of `frames` frames at `rate` a second, which `read(first, frames)` gives second by second."""
    count = min(points, frames)
    if count == 0:
        return np.zeros(0, np.uint8)
    peaks = np.zeros(count, np.int64)
    for first in range(0, frames, rate):
        # one more bit than the samples have: -32768 has no positive of its own
        samples = np.abs(read(first, rate).astype(np.int64))
        places = np.arange(first, first + samples.size) * count // frames
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        np.maximum.at(peaks, places[starts], np.maximum.reduceat(samples, starts))
    return levels_of(peaks)


def draw(row: Recording, stop: StopSignal | None = None) -> Waveform:
    """Measure a sealed recording and keep its waveform.

    Raises DecryptionError if its key is gone, DigestError or FormatError if it is damaged, StoppedError at a stop.
    """
    source = open_audio(row)
    peaks = measure(source.frames, source.rate, _until(stop, source))
    encrypted = encrypt(peaks.tobytes(), [secret_of(row.pk).recipient])
    kept, _ = Waveform.objects.update_or_create(recording=row, defaults={"encrypted": encrypted})
    return kept


def _until(stop: StopSignal | None, source: AudioSource) -> Callable[[int, int], Samples]:
    def read(first: int, frames: int) -> Samples:
        if stop is not None and stop.is_set():
            raise StoppedError("the worker was told to stop; the waveform is made at its next start")
        return source.read(first, frames)

    return read


def waveform_of(row: Recording) -> bytes:
    """Return the peaks of a recording for somebody who may listen to it, or nothing as long as there are none."""
    kept = Waveform.objects.filter(recording=row).first()
    if kept is None:
        return b""
    try:
        return secret_of(row.pk).decrypt(bytes(kept.encrypted))
    except DecryptionError as error:
        _log.warning(
            "the waveform of %(recording)s does not open; it is made again: %(problem)s",
            {"recording": row.pk, "problem": error},
        )
        kept.delete()
        return b""


class WaveformMaker:
    """Makes the waveforms that are missing: a job of the worker. Several workers share the recordings."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, holder: Holder = MINE) -> None:
        self._clock = clock
        self._holder = holder
        self._all_due = clock()
        self._failed: set[str] = set()

    def once(self, stop: StopSignal) -> int:
        """Make what is missing now, until `stop`, and return how many were made."""
        missing = Recording.objects.filter(state=State.SEALED, destroyed_at=None, waveform=None)
        if self._clock() >= self._all_due:
            self._all_due = self._clock() + ALL_S
            self._failed.clear()
        else:
            missing = missing.filter(listed_at__gte=timezone.now() - RECENT)
        made = 0
        for row in list(missing.order_by("-listed_at").values_list("pk", flat=True)):
            if stop.is_set():
                break
            if row not in self._failed:
                made += self._draw(row, stop)
        return made

    def _draw(self, recording: str, stop: StopSignal) -> bool:
        lease = f"waveform: {recording}"
        if not self._holder.take(lease):
            # another worker makes it
            return False
        try:
            if Waveform.objects.filter(recording=recording).exists():
                # another worker has made it since the look
                return False
            draw(Recording.objects.get(pk=recording), stop)
        except StoppedError:
            return False
        except (PlainSightError, OSError) as error:
            # the page of a recording that cannot be heard says so itself
            self._failed.add(recording)
            _log.warning(
                "cannot make the waveform of %(recording)s: %(problem)s", {"recording": recording, "problem": error}
            )
            return False
        finally:
            self._holder.give_back(lease)
        return True
