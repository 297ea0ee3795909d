"""What the worker does again and again, and what is looked at before a process starts.

Each app registers its own (`AppConfig.ready`), since this one knows none of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, close_old_connections

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal

_log = logging.getLogger(__name__)
Deed = Callable[[StopSignal], object]
"""Does what is due and returns; a long one looks at the stop signal between its parts."""


@dataclass(frozen=True)
class Job:
    """Something that the worker does again and again."""

    name: str
    """What it does, for logs."""
    every_s: float
    """Pause between its end and its next beginning, in seconds."""
    run: Deed


JOBS: Final[list[Job]] = []
"""In the order in which they run when several are due."""
CHECKS: Final[list[Callable[[], None]]] = []
"""What worker and web look at before they start; a finding is logged and stops neither."""


class Worker:
    """Runs jobs one after the other, in one thread; several workers at once do no harm."""

    def __init__(self, jobs: list[Job], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.stop = StopSignal()
        """Makes `run` return after the job in hand."""
        self._due = {job: clock() for job in jobs}

    def run(self) -> None:
        """Work until `stop`."""
        while not self.stop.is_set():
            self.once()
            self.stop.wait(max(min(self._due.values()) - self._clock(), 0.0))

    def once(self) -> None:
        """Run each job that is due; one that fails is told and does not stop the others."""
        for job, due in list(self._due.items()):
            if self.stop.is_set() or due > self._clock():
                continue
            try:
                job.run(self.stop)
            except (PlainSightError, OSError) as error:
                _log.error("%s: %s", job.name, error)
            except DatabaseError:
                _log.exception("%s: the database failed", job.name)
                close_old_connections()
            self._due[job] = self._clock() + job.every_s


def run_checks() -> None:
    """Look at everything that a process must know of before it starts."""
    for check in CHECKS:
        try:
            check()
        except (PlainSightError, OSError, DatabaseError) as error:
            _log.error("a check before the start failed: %s", error)
