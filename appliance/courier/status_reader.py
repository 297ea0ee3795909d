"""The recorder's status, and whether it can still be believed (docs/architecture.md, status file)."""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import ValidationError

from appliance.contract import times
from appliance.contract.durable_files import read_bounded
from appliance.contract.paths import STATUS
from appliance.contract.status import RecorderStatus, SilentStatus

_LIMIT = 64 << 10


class StatusReader:
    """Reads status.json. One object belongs to one thread."""

    def __init__(self, run: Path, box: str, boot_id: str | None = None) -> None:
        """Read the status of `box` in the folder `run`, as of the boot `boot_id` (default: the present one)."""
        self._path = run / STATUS
        self._box = box
        self._boot_id = times.boot_id() if boot_id is None else boot_id
        self._last_ns: int | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._parsed: RecorderStatus | None = None

    def read(self) -> RecorderStatus | SilentStatus:
        """Return the recorder's status if it is fresh and about this box; otherwise that the recorder is silent."""
        status = self._parse()
        if status is not None and status.box == self._box and status.boot_id == self._boot_id:
            self._last_ns = status.monotonic_ns
            if status.fresh(self._boot_id, time.monotonic_ns()):
                return status
        return SilentStatus(box=self._box, last_monotonic_ns=self._last_ns)

    def active(self) -> RecorderStatus | None:
        """Return the recorder's status if it is fresh, else None."""
        status = self.read()
        return status if isinstance(status, RecorderStatus) else None

    def _parse(self) -> RecorderStatus | None:
        # a status that cannot be read or parsed is as good as none
        try:
            stat = self._path.stat()
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._parsed, self._stamp = None, stamp
                self._parsed = RecorderStatus.model_validate_json(read_bounded(self._path, _LIMIT))
        except (OSError, ValidationError):
            return None
        return self._parsed
