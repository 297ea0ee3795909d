"""Leases: one holder at a time, by the database's clock, and none that died keeps others from the work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.core import leases
from archive.core.jobs import ALIVE_S, TAKE_UP_S, Job, Worker
from archive.core.leases import LASTS, MARGIN_S, Holder
from archive.core.models import Lease
from archive.recordings.models import Recording
from archive.sealing import sealer
from archive.sealing.seal import seal
from archive.sealing.sealer import Sealer
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.both_engines


@pytest.fixture(autouse=True)
def _home(archive: Archive) -> None:
    """Each test has a database."""


def test_one_of_two_holds_it_until_it_is_given_back() -> None:
    one, two = Holder(), Holder()
    assert (one.take("x"), two.take("x"), one.take("x"), two.take("y")) == (True, False, True, True)
    one.give_back("x")
    assert (two.take("x"), one.take("x")) == (True, False)
    two.give_back()
    assert not Lease.objects.exists()


def test_of_many_who_ask_at_once_one_gets_it() -> None:
    def ask(holder: Holder) -> bool:
        try:
            return holder.take("x")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, [Holder() for _ in range(6)])) == [False] * 5 + [True]


def test_what_a_dead_one_held_is_taken_up_within_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LASTS.total_seconds() + TAKE_UP_S <= 30
    assert LASTS.total_seconds() - MARGIN_S > ALIVE_S * 2, "one renewal may be missed"
    monkeypatch.setattr(leases, "LASTS", timedelta(seconds=1))
    assert Holder().take("x"), "and it never says anything again"
    other = Holder()
    assert not other.take("x")
    assert until(lambda: other.take("x"))


def test_a_holder_that_was_away_for_too_long_finds_out() -> None:
    now = 100.0
    one, two = Holder(lambda: now), Holder()
    assert one.take("x")
    Lease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert two.take("x")
    assert one.take("x"), "it cannot know yet"
    one.renew()
    assert not one.take("x")
    assert two.take("x")


def test_a_clock_that_was_put_back_keeps_nobody_from_the_work() -> None:
    """The end of a dead one's lease lies hours away then; one that ends as leases do is another's as before."""
    assert Holder().take("x")
    Lease.objects.update(until=timezone.now() + timedelta(hours=1))
    one, two = Holder(), Holder()
    assert one.take("x")
    assert not two.take("x")


def test_a_holder_believes_in_its_lease_for_less_than_it_lasts() -> None:
    now = 100.0
    one = Holder(lambda: now)
    assert one.take("x")
    now += LASTS.total_seconds() - MARGIN_S + 0.1
    Lease.objects.all().update(holder="another")
    assert not one.take("x")


def test_a_job_is_run_by_one_worker_of_two_and_taken_up_after_the_end_of_that() -> None:
    done: list[str] = []
    now = 100.0

    def worker(name: str) -> tuple[Worker, Job]:
        job = Job("cleaning", 60.0, lambda _: done.append(name))
        return Worker([job], lambda: now, Holder(lambda: now)), job

    (one, first), (two, second) = worker("one"), worker("two")
    one._once({first: now})
    lane = {second: now}
    two._once(lane)
    assert done == ["one"]
    assert lane[second] == now + TAKE_UP_S, "it asks again soon, and not in a minute"
    one._give_back()
    now += TAKE_UP_S
    two._once(lane)
    assert done == ["one", "two"]


def test_no_two_seal_one_recording(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = {arrive(seconds=1).id for _ in range(3)}
    began: list[str] = []
    real = seal

    def slow(recording: str) -> Recording:
        began.append(recording)
        if len(began) == 1:
            # the other one looks meanwhile, and finds the rest
            until(lambda: len(began) == 3)
        return real(recording)

    def work(made: Sealer) -> int:
        try:
            return made.once(StopSignal())
        finally:
            connections.close_all()

    monkeypatch.setattr(sealer, "seal", slow)
    with ThreadPoolExecutor(2) as pool:
        sealed = [pool.submit(work, Sealer(holder=Holder())) for _ in range(2)]
        assert sum(one.result(PATIENCE_S) for one in sealed) == 3
    assert sorted(began) == sorted(recordings), "each of them once"
