"""A clock that the custody log contradicts is called wrong in words, until somebody has looked at it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.times import wall
from archive.core.database_clock import SLACK
from archive.custody import log
from archive.custody.actors import ARCHIVE, NOTHING
from archive.custody.check import check
from archive.custody.clock import SILENCE, behind, leapt, why_behind, why_wrong
from archive.custody.custody_kinds import CLOCK
from archive.custody.kinds import kinds
from archive.custody.log import record
from archive.custody.models import Entry
from tests.support.archives import Archive

pytestmark = pytest.mark.both_engines

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@given(st.timedeltas(timedelta(days=-3650), timedelta(days=3650)))
def test_a_clock_before_an_entry_is_wrong_and_any_other_is_not(off: timedelta) -> None:
    assert bool(behind(NOW + off, NOW)) is (off < -SLACK)


@given(st.lists(st.integers(0, SILENCE.days), max_size=50), st.integers(SILENCE.days + 1, 4000))
def test_the_log_of_an_archive_at_work_has_no_leap_and_one_leap_is_found_wherever_it_is(
    gaps: list[int], leap: int
) -> None:
    def days(steps: list[int]) -> list[date]:
        found = [NOW.date()]
        for step in steps:
            found.append(found[-1] + timedelta(days=step))
        return found

    assert leapt(days(gaps)) == ""
    for place in {0, len(gaps) // 2, len(gaps)}:
        assert "put ahead" in leapt(days([*gaps[:place], leap, *gaps[place:]]))


def enter(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(log, "now", lambda: wall(at))
        record(kinds()["refusal"], actor=ARCHIVE, subject=NOTHING, deed="list", page="x", why="x")


@pytest.mark.parametrize("years", [-1, 10])
def test_a_clock_that_was_wrong_stays_doubtful_until_somebody_confirms_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    now = timezone.now()
    enter(now, monkeypatch)
    assert (why_behind(), why_wrong()) == ("", "")
    wrong = now + timedelta(days=365 * years)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: wrong)
        assert "confirm-clock" in why_wrong()
        # somebody signs in meanwhile: an entry at the wrong moment makes nothing right
        enter(wrong, monkeypatch)
        assert "clock" in why_wrong()
    assert "clock" in why_wrong(), "set right again, it contradicts what was entered meanwhile"
    assert bool(why_behind()) is (years > 0)
    assert "set it right" in archive.run("confirm-clock", "2019-01-01", status=2).stderr
    assert "clock" in why_wrong()
    today = timezone.localdate().isoformat()
    assert json.loads(archive.run("confirm-clock", today, "--json").stdout)["entered"] is True
    assert Entry.objects.filter(code=CLOCK.code).count() == 1
    assert (why_behind(), why_wrong()) == ("", "")
    assert check() is None
    assert "nothing to confirm" in archive.run("confirm-clock", today).stdout
    assert Entry.objects.filter(code=CLOCK.code).count() == 1
