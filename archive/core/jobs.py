"""What the worker does again and again, and what must be there before it or the web server starts.

Each app registers its own (`AppConfig.ready`), since this one knows none of them.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, close_old_connections, connections, transaction

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal

from . import leases
from .database_clock import why_off
from .health import alive

WORKER: Final = "worker"
"""The part's name where health is asked for."""
MAIN: Final = "main"
"""The lane of what must not wait."""
ALIVE_S: Final = 3.0
"""How often the worker says that it works, in seconds."""
TAKE_UP_S: Final = 5.0
"""How often a worker asks for a job that another one has, in seconds: with a lease's length, so long after a death."""
_log = logging.getLogger(__name__)
Task = Callable[[StopSignal], object]
"""Does what is due and returns; a long one looks at the stop signal between its parts."""


@dataclass(frozen=True)
class Job:
    """Something that the worker does again and again."""

    name: str
    """What it does, for logs."""
    every_s: float
    """Pause between its end and its next beginning, in seconds."""
    run: Task
    lane: str = MAIN
    """Jobs of one lane run one after the other; a lane is a thread, so that a long check does not hold up a seal."""
    alone: bool = True
    """Whether one worker of all runs it; the others take it up when that one ends or dies. Else it shares its work out
    itself."""


JOBS: Final[list[Job]] = []
"""In the order in which those of one lane run when several are due."""
REQUIRED: Final[list[Callable[[], object]]] = []
"""What must be there before web server or worker start: each raises a PlainSightError if it is not."""
_WORKING: Final[list[Callable[[], None]]] = []


class Worker:
    """Runs jobs, one after the other in each lane; several workers at once, on one host or more, share them.

    The lane `main` is the main thread, and alone says that the worker works. Each other lane is a thread of its
    own, `worker-LANE`, which is joined before `run` returns.
    """

    def __init__(
        self, jobs: list[Job], clock: Callable[[], float] = time.monotonic, holder: leases.Holder = leases.MINE
    ) -> None:
        self._clock = clock
        self._holder = holder
        self.stop = StopSignal()
        """Makes `run` return after the job in hand."""
        self._lanes: dict[str, dict[Job, float]] = {}
        for job in jobs:
            self._lanes.setdefault(job.lane, {})[job] = clock()
        self._alive_at = clock()
        self._off = ""
        """Why this host's clock is wrong; empty if it is right."""

    def run(self) -> None:
        """Work until `stop`."""
        self._say_alive()
        first = self._lanes.get(MAIN, {})
        others = [lane for name, lane in self._lanes.items() if name != MAIN]
        threads = [
            threading.Thread(target=self._run_lane, args=(lane,), name=f"worker-{next(iter(lane)).lane}")
            for lane in others
        ]
        for thread in threads:
            thread.start()
        _WORKING.append(self._say_alive)
        try:
            while not self.stop.is_set():
                self._say_alive()
                self._once(first)
                self.stop.wait(max(min([*first.values(), self._alive_at]) - self._clock(), 0.0))
        finally:
            _WORKING.remove(self._say_alive)
            self.stop.set()
            for thread in threads:
                thread.join()
            self._give_back()

    def once(self) -> None:
        """Run each job that is due, in this thread."""
        self._say_alive()
        for lane in self._lanes.values():
            self._once(lane)
        self._give_back()

    def _run_lane(self, lane: dict[Job, float]) -> None:
        while not self.stop.is_set():
            self._once(lane)
            # readable from the stop on; reading it is left to the main thread
            select.select([self.stop], [], [], max(min(lane.values()) - self._clock(), 0.0))
        connections.close_all()

    def _once(self, lane: dict[Job, float]) -> None:
        """Run what is due; a job that fails is told and does not stop the others."""
        for job, due in list(lane.items()):
            if self.stop.is_set() or due > self._clock():
                continue
            if self._off:
                # times that it would write down are wrong; another host's worker takes its jobs up
                lane[job] = self._clock() + TAKE_UP_S
                continue
            pause = job.every_s
            try:
                if job.alone and not self._holder.take(f"job: {job.name}"):
                    lane[job] = self._clock() + min(job.every_s, TAKE_UP_S)
                    continue
                job.run(self.stop)
            except (PlainSightError, OSError) as error:
                _log.error("%(job)s: %(problem)s", {"job": job.name, "problem": error})
            except DatabaseError:
                _log.exception("%(job)s: the database failed", {"job": job.name})
                close_old_connections()
                # a server that is away for an hour would be told some thousand times
                pause = max(pause, TAKE_UP_S)
            except Exception:  # noqa: BLE001 - a defect of one job would end its lane, and nothing would tell
                _log.exception("%(job)s: it failed by a defect of this program", {"job": job.name})
                pause = max(pause, TAKE_UP_S)
            lane[job] = self._clock() + pause

    def _say_alive(self) -> None:
        if self._clock() < self._alive_at:
            return
        self._alive_at = self._clock() + ALIVE_S
        try:
            off = why_off()
            if off and not self._off:
                _log.error("no job runs here: %(problem)s", {"problem": off})
            self._off = off
            if off:
                return
            with transaction.atomic():
                alive(WORKER)
                self._holder.renew()
        except DatabaseError:
            _log.exception("the database failed")
            close_old_connections()

    def _give_back(self) -> None:
        try:
            self._holder.give_back()
        except DatabaseError:
            _log.exception("the database failed")


def still_working() -> None:
    """Say, between two parts of a long job and outside of any transaction, that this worker works."""
    for say in _WORKING:
        say()


def require_all() -> None:
    """Raise the PlainSightError of the first thing that is missing and without which nothing can work."""
    for require in REQUIRED:
        require()
