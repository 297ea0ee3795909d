"""What of the spool may be sent: only what is acknowledged, and only by reading (docs/architecture.md, status file).

A recording may vanish at any moment, because the writer deletes what is archived; that is no error. Ledgers are never
held in memory: only their last line is read here, and only when they have changed.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from appliance.contract.errors import FormatError, StorageError
from appliance.contract.ids import RECORDING_PATTERN
from appliance.contract.paths import LEDGER
from appliance.contract.signed import MAX_LINE, parse_json, split
from appliance.contract.status import RecorderStatus
from appliance.contract.trouble_log import TroubleLog

_CHUNK = 16 << 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PendingRecording:
    """A recording of which something may be sent."""

    recording: str
    """Its identifier."""
    folder: Path
    """Its folder in the spool."""
    limit: int | None
    """Ledger lines below this number may be sent; None: all of them, since the ledger is complete and durable."""


@dataclass(frozen=True)
class _Seen:
    stamp: tuple[int, int, int]
    closed: bool


class SpoolReader:
    """Looks at the spool. It belongs to the uploading thread."""

    def __init__(self, spool: Path) -> None:
        """Look at the spool in the folder `spool`."""
        self._recordings = spool / "recordings"
        self._seen: dict[str, _Seen] = {}
        self._troubles = TroubleLog(_log, logging.ERROR)

    def present(self) -> set[str]:
        """Return the recordings that are in the spool; raise StorageError if the spool cannot be read."""
        try:
            names = [path.name for path in self._recordings.iterdir()]
        except FileNotFoundError as error:
            raise StorageError(f"{self._recordings} is not there yet; the recorder makes it") from error
        except OSError as error:
            raise StorageError(
                f"cannot look into {self._recordings}: {error.strerror}; is the courier in the spool's group?"
            ) from error
        return {name for name in names if re.fullmatch(RECORDING_PATTERN, name)}

    def pending(self, present: set[str], status: RecorderStatus | None) -> list[PendingRecording]:
        """Return what may be sent, the active recording first, then the oldest; without `status` none is active."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in present}
        active = status.recording if status is not None else None
        found: list[tuple[int, PendingRecording]] = []
        for recording in present:
            folder = self._recordings / recording
            if status is not None and recording == active:
                # nothing of a recording is durable before its first acknowledged line
                if status.acked_line > 0:
                    found.append((0, PendingRecording(recording, folder, status.acked_line)))
            elif (ended_ns := self._closed_at(recording, folder)) is not None:
                found.append((ended_ns, PendingRecording(recording, folder, None)))
        return [pending for _, pending in sorted(found, key=lambda item: (item[0], item[1].recording))]

    def _closed_at(self, recording: str, folder: Path) -> int | None:
        """Return when the ledger last changed, in wall-clock nanoseconds, if it ends in a closing record."""
        path = folder / LEDGER
        try:
            stat = path.lstat()
            seen = self._seen.get(recording)
            if seen is None or seen.stamp != _stamp(stat):
                self._seen[recording] = seen = _look(path)
        except FileNotFoundError:
            # vanished, or not yet made
            return None
        except OSError as error:
            # a bad sector under one recording must not keep the others here
            self._troubles.report(
                recording, f"cannot read the ledger of {recording}, which therefore waits: {error.strerror}"
            )
            return None
        return stat.st_mtime_ns if seen.closed else None


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _look(path: Path) -> _Seen:
    """Read whether a ledger is closed; if it is, see to it that what was read is durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        stat = os.fstat(descriptor)
        closed = ends_in_closing(descriptor, stat.st_size)
        if closed:
            # the writer may have died between write and fsync
            os.fsync(descriptor)
        return _Seen(_stamp(stat), closed)
    finally:
        os.close(descriptor)


def ends_in_closing(descriptor: int, size: int) -> bool:
    """Tell whether the last complete line of an open ledger, up to `size`, is a closing record."""
    line = _last_line(descriptor, size)
    if line is None:
        return False
    try:
        return parse_json(split(line)[0]).get("kind") == "closing"
    except FormatError:
        return False


def _last_line(descriptor: int, size: int) -> bytes | None:
    data, start = b"", size
    while start > 0 and len(data) <= 2 * MAX_LINE:
        step = min(_CHUNK, start)
        start -= step
        data = os.pread(descriptor, step, start) + data
        end = data.rfind(b"\n")
        begin = data.rfind(b"\n", 0, end) if end >= 0 else -1
        if end >= 0 and (begin >= 0 or start == 0):
            return data[begin + 1 : end + 1]
    return None
