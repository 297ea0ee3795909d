"""By what moment a recording is listed: its box's clock, where that can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archive.recordings.dating import AHEAD, BELIEVABLE, EARLIEST, Listed, listed

ARRIVED = datetime(2026, 11, 24, 15, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("began", "dated"),
    [
        (ARRIVED, True),
        (ARRIVED + AHEAD - INSTANT, True),
        (ARRIVED + AHEAD, False),
        (ARRIVED - BELIEVABLE + INSTANT, True),
        (ARRIVED - BELIEVABLE, False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
    ],
)
def test_a_clock_that_is_plainly_wrong_dates_nothing(began: datetime, dated: bool) -> None:
    assert listed(began, ARRIVED, trusted=False) == Listed(began if dated else ARRIVED, dated)


@pytest.mark.parametrize(
    ("began", "dated"),
    [
        (ARRIVED - timedelta(days=75), True),
        (EARLIEST, True),
        (EARLIEST - INSTANT, False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (ARRIVED + AHEAD - INSTANT, True),
        (ARRIVED + AHEAD, False),
    ],
)
def test_a_clock_that_was_kept_right_dates_also_what_lay_in_its_box_all_summer(began: datetime, dated: bool) -> None:
    assert listed(began, ARRIVED, trusted=True) == Listed(began if dated else ARRIVED, dated)
