"""The worker: each job in its time, one that fails stops no other, and a stop ends it between two parts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core import jobs
from archive.core.jobs import JOBS, WORKER, Job, Worker, still_working
from archive.core.models import SignOfLife
from tests.support.archives import Archive


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _home(archive: Archive) -> None:
    """Each test has a database for the sign of life."""


def worker(clock: Clock, **runs: tuple[float, Callable[[StopSignal], object]]) -> Worker:
    return Worker([Job(name, every_s, run) for name, (every_s, run) in runs.items()], clock)


def test_each_job_runs_at_once_and_then_after_its_pause() -> None:
    done: list[str] = []
    clock = Clock()
    made = worker(clock, often=(1, lambda _: done.append("often")), seldom=(3, lambda _: done.append("seldom")))
    for moment in (100.0, 100.5, 101.0, 102.0, 103.0):
        clock.now = moment
        made.once()
    assert done == ["often", "seldom", "often", "often", "often", "seldom"]


@pytest.mark.parametrize("error", [StorageError("no"), OSError("no"), OperationalError("locked"), ValueError("no")])
def test_a_job_that_fails_is_told_and_stops_no_other(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: StopSignal) -> None:
        raise error

    done: list[int] = []
    made = worker(Clock(), bad=(1, fail), good=(1, lambda _: done.append(1)))
    made.once()
    assert done == [1]
    assert "bad" in caplog.text


def test_a_defect_in_a_job_does_not_end_its_lane() -> None:
    done: list[int] = []

    def fail(_: StopSignal) -> None:
        done.append(len(done))
        if len(done) == 1:
            raise RecursionError
        made.stop.set()

    made = Worker([Job("bad", 0, fail, lane="checking")], clock := Clock())
    lane = next(iter(made._lanes.values()))
    made._once(lane)
    clock.now += jobs.TAKE_UP_S
    made._run_lane(lane)
    assert done == [0, 1]


def test_a_stop_ends_it_before_the_next_job() -> None:
    done: list[int] = []
    made = worker(Clock(), first=(1, lambda stop: stop.set()), second=(1, lambda _: done.append(1)))
    made.run()
    assert done == []


def test_every_app_has_registered_its_jobs() -> None:
    assert {"sealing", "sweeping"} <= {job.name for job in JOBS}


def test_a_long_job_says_between_its_parts_that_the_worker_works() -> None:
    clock = Clock()
    seen: list[int] = []

    def long(stop: StopSignal) -> None:
        SignOfLife.objects.all().delete()
        still_working()
        seen.append(SignOfLife.objects.filter(part=WORKER).count())
        clock.now += 4
        still_working()
        seen.append(SignOfLife.objects.filter(part=WORKER).count())
        stop.set()

    worker(clock, long=(1, long)).run()
    assert seen == [0, 1]
    SignOfLife.objects.all().delete()
    still_working()
    assert not SignOfLife.objects.exists(), "nobody else may say it"
