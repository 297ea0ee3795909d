"""The amber codes of the spool that the writer reports: each is raised once and cleared once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from appliance.recorder import resources
from appliance.recorder.ipc.messages import FromWriter, SpoolChecked, WriterFault
from appliance.recorder.settings import second_bytes
from appliance.recorder.storage.disk import SLOW, SLOW_NS, Disk, DiskError
from appliance.recorder.storage.spool import Spool

_log = logging.getLogger(__name__)


class SpoolFaults:
    """Codes that hold, and their reports to the supervisor."""

    def __init__(self, spool: Spool, report: Callable[[FromWriter], None], rate: int = 48000) -> None:
        """Report about `spool`, where recordings have `rate` frames a second."""
        self._spool = spool
        self._second_bytes = second_bytes(rate)
        self._disk: Disk = spool.disk
        self._report = report
        self._codes: set[str] = set()

    def raise_code(self, code: str, message: str, *, fatal: bool = False) -> None:
        """Report a fault; one that already holds is repeated only when it becomes fatal."""
        if code in self._codes and not fatal:
            return
        self._codes.add(code)
        _log.error("%s: %s", code, message)
        self._report(WriterFault(code=code, message=message[:2000], fatal=fatal))

    def clear(self, *codes: str) -> None:
        """Clear these codes."""
        if self._codes & set(codes):
            self._codes -= set(codes)
            self.tell()

    def measure(self) -> None:
        """Check how long the disk took since the last call."""
        slowest_ns = self._disk.take_slowest_ns()
        if slowest_ns > SLOW_NS:
            self.raise_code(SLOW, f"an fsync took {slowest_ns // 1_000_000} ms; replace the card or disk")
        else:
            self.clear(SLOW)

    def free_bytes(self, *, running: bool = False) -> int | None:
        """Return the room for recordings in bytes, or None if the disk does not tell.

        Each second of a recording is a file, so that names may run out before bytes do. Where none is left at all while
        a recording is `running`, the write itself tells, and the ring rides it out for as long as it can.
        """
        try:
            free, names = self._disk.free_bytes(self._spool.root), self._disk.free_names(self._spool.root)
        except DiskError as error:
            self.raise_code(error.fault, error.message)
            return None
        if names is None or (running and names == 0):
            return free
        return min(free, names * self._second_bytes)

    def check_names(self, seconds: int) -> None:
        """Look whether there are names for so many seconds."""
        names = self._disk.free_names(self._spool.root)
        if names is not None and names < seconds:
            self.raise_code(
                resources.NAMES, f"{names} files may still be made in the spool, {seconds} are wanted (df -i)"
            )
        else:
            self.clear(resources.NAMES)

    def tell(self) -> None:
        """Report the codes that hold."""
        free = self.free_bytes()
        self._report(SpoolChecked(free_bytes=0 if free is None else free, faults=frozenset(self._codes)))
