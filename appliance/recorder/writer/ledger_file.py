"""The ledger on disk: lines are chained, signed, appended, synced and read back.

After a failure the same lines can be tried again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from appliance.contract.keys import SigningKey
from appliance.contract.ledger import AnyFact, Entry
from appliance.contract.signed import digest
from appliance.recorder.storage.disk import Disk, DiskError

from .read_back import check_bytes


class LedgerFile:
    """One recording's ledger, open for appending. What `lines` counts is durable and was read back."""

    def __init__(self, disk: Disk, path: Path, recording: str, key: SigningKey, *, prev: str) -> None:
        self._disk = disk
        self._path = path
        self._recording = recording
        self._key = key
        self._prev = prev
        self._size = 0
        self._torn = False
        self.lines = 0

    def go_on(self, lines: Sequence[bytes]) -> None:
        """Take up the ledger behind `lines`, which are on disk already."""
        self.lines = len(lines)
        self._size = sum(map(len, lines))
        if lines:
            self._prev = digest(lines[-1])

    def append(self, facts: Sequence[AnyFact]) -> None:
        """Append an entry for each fact; all of them count, or none.

        Raises DiskError; then nothing counts, and what may have reached the disk is cut off again before the next
        attempt.
        """
        prev, data = self._prev, b""
        for number, fact in enumerate(facts, self.lines):
            line = Entry(recording=self._recording, n=number, prev=prev, fact=fact).sign(self._key)
            prev = digest(line)
            data += line
        self._write(data)
        self._prev, self._size, self.lines = prev, self._size + len(data), self.lines + len(facts)

    def _write(self, data: bytes) -> None:
        descriptor = self._disk.open_to_append(self._path)
        try:
            if self._torn:
                self._disk.truncate(descriptor, self._size, self._path)
            self._torn = True
            self._disk.write(descriptor, data, self._path)
            self._disk.fsync(descriptor, self._path)
            self._disk.drop_cache(descriptor, self._path)
            check_bytes(self._disk, self._path, self._size, data)
        except DiskError:
            self._cut(descriptor)
            raise
        finally:
            # if this fails, the lines may be there and still do not count: the next attempt cuts them off
            self._disk.close(descriptor, self._path)
        self._torn = False

    def _cut(self, descriptor: int) -> None:
        # at once, if the disk lets it, so that a crash before the next attempt leaves nothing that does not count
        with contextlib.suppress(DiskError):
            self._disk.truncate(descriptor, self._size, self._path)
