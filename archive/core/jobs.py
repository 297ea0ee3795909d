"""What the worker does again and again, and what is looked at before the web server starts.

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

from .health import alive

WORKER: Final = "worker"
"""The part's name where health is asked for."""
ALIVE_S: Final = 3.0
"""How often the worker says that it works, in seconds."""
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
"""What the web server looks at before it starts; a finding is logged and does not stop it."""

REQUIRED: Final[list[Callable[[], object]]] = []
"""What must be there before web server or worker start: each raises a PlainSightError if it is not."""
_WORKING: Final[list[Callable[[], None]]] = []


class Worker:
    """Runs jobs one after the other, in one thread; several workers at once do no harm."""

    def __init__(self, jobs: list[Job], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.stop = StopSignal()
        """Makes `run` return after the job in hand."""
        self._due = {job: clock() for job in jobs}
        self._alive_at = clock()

    def run(self) -> None:
        """Work until `stop`."""
        _WORKING.append(self._say_alive)
        try:
            while not self.stop.is_set():
                self.once()
                due = min(*self._due.values(), self._alive_at)
                self.stop.wait(max(due - self._clock(), 0.0))
        finally:
            _WORKING.remove(self._say_alive)

    def once(self) -> None:
        """Run each job that is due; one that fails is told and does not stop the others."""
        self._say_alive()
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

    def _say_alive(self) -> None:
        if self._clock() < self._alive_at:
            return
        self._alive_at = self._clock() + ALIVE_S
        try:
            alive(WORKER)
        except DatabaseError:
            _log.exception("the database failed")
            close_old_connections()


def still_working() -> None:
    """Say, between two parts of a long job and outside of any transaction, that this worker works."""
    for say in _WORKING:
        say()


def require_all() -> None:
    """Raise the PlainSightError of the first thing that is missing and without which nothing can work."""
    for require in REQUIRED:
        require()


def run_checks() -> None:
    """Look at everything that the web server's log must tell at its start."""
    for check in CHECKS:
        try:
            check()
        except (PlainSightError, OSError, DatabaseError) as error:
            _log.error("a check before the start failed: %s", error)
