"""A lock is extended before it ends while the recording must stay, never shortened, and no further than it must be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.recordings.lock_rules import BEFORE, LOOK_AT_LEAST, STEP, Renewal, stays

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EARLY, LATE = Renewal(3650, destroys_early=True), Renewal(3650, destroys_early=False)
HOURS = st.integers(-24 * 400, 24 * 4000).map(lambda hours: NOW + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("renewal", "until", "kept", "wanted"),
    [
        (EARLY, NOW + BEFORE + timedelta(seconds=1), True, None),
        (EARLY, NOW + BEFORE, True, NOW + timedelta(days=3650)),
        (EARLY, NOW + BEFORE, False, NOW + timedelta(days=3650)),
        (EARLY, None, True, NOW + timedelta(days=3650)),
        (LATE, NOW + BEFORE + timedelta(seconds=1), True, None),
        (LATE, NOW + BEFORE, True, NOW + STEP),
        (LATE, NOW - timedelta(days=9), True, NOW + STEP),
        (LATE, NOW + BEFORE, False, None),
        (Renewal(2, destroys_early=False), NOW + timedelta(hours=17), True, None),
        (Renewal(2, destroys_early=False), NOW + timedelta(hours=16), True, NOW + timedelta(days=2)),
    ],
)
def test_until_when_a_lock_is_renewed(
    renewal: Renewal, until: datetime | None, kept: bool, wanted: datetime | None
) -> None:
    assert renewal.renewed(until, NOW, stays=kept) == wanted


@settings(max_examples=40)
@given(st.builds(Renewal, st.integers(1, 36500), destroys_early=st.booleans()), HOURS)
def test_what_stays_is_always_locked_behind_its_next_look_and_nothing_is_shortened(
    renewal: Renewal, until: datetime
) -> None:
    after = renewal.renewed(until, NOW, stays=True) or until
    assert after >= until
    assert after - NOW >= renewal.before
    again = renewal.looked_at_again(after, NOW, renews=True)
    assert NOW + LOOK_AT_LEAST <= again <= max(after, NOW + LOOK_AT_LEAST), "before it ends"
    assert renewal.destroys_early or after - NOW <= max(until - NOW, STEP), "a district is not bound for long"


@pytest.mark.parametrize(
    ("may_go_on", "held", "wanted"),
    [
        (None, False, True),
        (date(2026, 11, 27), False, True),
        (date(2026, 11, 26), False, False),
        (date(2020, 1, 1), False, False),
        (date(2020, 1, 1), True, True),
    ],
)
def test_a_recording_stays_until_its_period_is_over_and_no_hold_is_left(
    may_go_on: date | None, held: bool, wanted: bool
) -> None:
    assert stays(may_go_on, date(2026, 11, 26), held=held) is wanted
