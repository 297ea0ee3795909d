"""How late this machine lets those run who want to: what a rule about time leaves out of account.

A process of its own wants to run every few milliseconds and notes when it could not. Beside other work it waits for a
core as everybody does; on an idle machine hardly ever. So each rule keeps its limit, and a busy machine breaks none.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Self

from tests.support.waiting import until

SECOND = 1_000_000_000

_METER = """
import os, time
parent, told = os.getppid(), 0
while os.getppid() == parent:
    wanted = time.monotonic_ns() + 4_000_000
    time.sleep(0.004)
    came = time.monotonic_ns()
    if came - wanted > 500_000 or came - told > 100_000_000:
        os.write(1, b"%d %d\\n" % (wanted, came))
        told = came
"""
"""Writes when it wanted to run and when it did, each time that it came late, and ten times a second in any case."""
_IN_A_ROW = 10
"""So many processes and threads, at most, wait for a core one after the other between a cause and its effect."""


class Lateness:
    """Measures while it is entered."""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile()
        self._meter = subprocess.Popen([sys.executable, "-I", "-S", "-c", _METER], stdout=self._file)
        until(self._noted, "the meter runs", alive=self._runs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._meter.kill()
        self._meter.wait()
        self._file.close()

    def late_ns(self, since_ns: int, until_ns: int) -> int:
        """Return for how long, between two moments, somebody who wanted to run was kept waiting, in nanoseconds.

        It is at most ten times the longest wait: what sits out a time of seconds is late by a few waits, not by all.
        """
        until(lambda: self._noted()[-1][1] >= until_ns, "the meter is past that moment", alive=self._runs)
        spans = [(max(wanted, since_ns), min(came, until_ns)) for wanted, came in self._noted()]
        waits = [max(0, came - wanted) for wanted, came in spans]
        return min(sum(waits), _IN_A_ROW * max(waits, default=0))

    def starves(self, cause: str, at_ns: int, since_ns: int | None = None) -> bool:
        """Tell whether a gap may be the machine's: what heard, or what watched over it, did not get a core in time.

        A stream that is not fetched overruns; one whose capture process waits longer stalls; one whose supervisor
        waits longer than a heartbeat may be old is closed; and one whose blocks all come late for a second has lost
        what nobody reported. Each is told by the ledger, and none is the fault that a test makes. A busy machine also
        writes a gap late: `since_ns` says from when on to look, usually five seconds before.
        """
        if cause == "overrun":
            return True
        if cause not in {"stall", "capture-died", "unexplained"}:
            return False
        return self.late_ns(at_ns - 5 * SECOND if since_ns is None else since_ns, at_ns) > SECOND // 4

    def taken_ns(self, since_ns: int, until_ns: int) -> int:
        """Return the time between two moments without what the machine was late, in nanoseconds."""
        return until_ns - since_ns - self.late_ns(since_ns, until_ns)

    def _runs(self) -> bool:
        return self._meter.poll() is None

    def _noted(self) -> list[tuple[int, int]]:
        # the meter writes at the file's position, which it shares with this process
        written = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size, 0)
        return [(int(wanted), int(came)) for wanted, came in map(bytes.split, written.splitlines())]
