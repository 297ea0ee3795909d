"""A host whose clock is off from the database's: it says so, does nothing by itself, and makes no false times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.times import parse_wall, wall
from archive.core import database_clock, health
from archive.core.database_clock import SLACK, right, told
from archive.core.jobs import WORKER, Job, Worker
from archive.custody import log
from archive.custody.actors import ARCHIVE
from archive.custody.check import check
from archive.custody.clock import why_behind, why_wrong
from archive.custody.log import record
from archive.recordings.custody_kinds import LOOK
from tests.support.archives import Archive

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
Clock = Callable[[timedelta], None]


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_two_clocks_may_differ_by_ten_minutes_and_no_more(off: timedelta) -> None:
    assert bool(told(NOW + off, NOW)) is (abs(off) > SLACK)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put this host's clock off, wherever it is looked at; the database's stays right."""

    def put(off: timedelta) -> None:
        def wrong() -> datetime:
            return datetime.now(UTC) + off

        monkeypatch.setattr(timezone, "now", wrong)
        monkeypatch.setattr(database_clock, "own_now", wrong)
        monkeypatch.setattr(log, "now", lambda: wall(wrong()))
        monkeypatch.setattr(health, "REMEMBERED_S", -1.0)

    return put


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_host_an_hour_off_runs_no_job_is_not_ready_and_enters_the_databases_time(
    archive: Archive, client: Any, clock: Clock, hours: int
) -> None:
    done: list[str] = []
    job = Job("sealing", 1.0, lambda _stop: done.append("done"))
    other = Worker([job])
    other.once()
    assert done == ["done"]
    record(LOOK, actor=ARCHIVE)
    clock(timedelta(hours=hours))
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").json()["parts"]["clock"] == "fails"
    Worker([job]).once()
    assert done == ["done"]
    # another host's worker is what lives
    assert health.is_alive(WORKER)
    entry = record(LOOK, actor=ARCHIVE)
    assert abs(parse_wall(entry.at) - datetime.now(UTC)) < SLACK
    assert check() is None
    for why in (why_wrong(), why_behind()):
        assert "the database server's" in why
    refused = archive.run("confirm-clock", timezone.localdate().isoformat(), status=2)
    assert "set the wrong one right" in refused.stderr
    clock(timedelta())
    assert (why_wrong(), why_behind()) == ("", "")
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_has_no_clock_of_its_own(archive: Archive, clock: Clock) -> None:
    clock(timedelta(hours=1))
    assert database_clock.why_off() == ""


def test_a_time_within_the_slack_is_left_as_it_is(clock: Clock) -> None:
    at = wall(datetime.now(UTC))
    assert right(at, datetime.now(UTC) - SLACK / 2) == at
