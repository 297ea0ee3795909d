"""A header names the recording that it continues only where it is known that less than ten minutes have passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.times import Clock, wall
from appliance.recorder.clock import Look
from appliance.recorder.writer.interrupted import CONTINUES_S, Interrupted

SECOND = 1_000_000_000
THEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ALIVE_NS = 5_000 * SECOND


def interrupted(*, synchronized: bool = True) -> Interrupted:
    return Interrupted("a" * 32, "first", ALIVE_NS, wall(THEN), synchronized)


def now(*, wall_s: float, monotonic_s: float = 30, synchronized: bool = True) -> Look:
    moment = round((THEN + timedelta(seconds=wall_s)).timestamp() * 1000) * 1_000_000
    source = "ntp" if synchronized else "none"
    return Look(moment, round(monotonic_s * SECOND), Clock(synchronized=synchronized, source=source, offset_ns=None))


@given(st.floats(-(10**6), 10**6), st.floats(0, 2000), st.booleans())
def test_within_one_boot_no_step_of_the_wall_clock_matters(wall_s: float, later: float, synchronized: bool) -> None:
    look = now(wall_s=wall_s, monotonic_s=ALIVE_NS / SECOND + later, synchronized=synchronized)
    assert interrupted(synchronized=False).fresh(look, "first") == (look.monotonic_ns - ALIVE_NS < CONTINUES_S * SECOND)


@pytest.mark.parametrize(("wall_s", "fresh"), [(0, True), (599, True), (601, False), (-1, False), (86_400, False)])
def test_after_a_power_cut_the_wall_clock_tells_if_it_was_right_before_and_is_again(wall_s: float, fresh: bool) -> None:
    assert interrupted().fresh(now(wall_s=wall_s), "second") == fresh


@pytest.mark.parametrize(("before", "after"), [(False, True), (True, False), (False, False)])
def test_after_a_power_cut_a_wall_clock_that_nobody_vouches_for_claims_nothing(before: bool, after: bool) -> None:
    look = now(wall_s=60, synchronized=after)
    assert interrupted(synchronized=before).age_s(look, "second") is None
    assert not interrupted(synchronized=before).fresh(look, "second")


def test_a_clock_that_is_synchronized_between_the_start_and_the_press_still_tells() -> None:
    one = interrupted()
    assert one.age_s(now(wall_s=-3600, synchronized=False), "second") is None
    assert one.fresh(now(wall_s=90), "second")
