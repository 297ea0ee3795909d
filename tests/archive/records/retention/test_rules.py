"""How long a recording is kept: no period of our own, forwards only, the longest wins, what nobody decided is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.records.retention.models import CountsFrom
from archive.records.retention.reach import longest
from archive.records.retention.rules import Kept, Period, Why, after, governing, kept, school_year_ends

DAY = date(2026, 11, 24)
DAYS: dict[str, date | None] = {
    CountsFrom.MEETING: DAY,
    CountsFrom.SCHOOL_YEAR: date(2027, 6, 30),
    CountsFrom.LEFT: None,
}


def period(years: int | None, entry: int = 1, **other: Any) -> Period:
    given_: dict[str, Any] = {"series": "SPED 1", "counts_from": CountsFrom.MEETING, "on_request": False}
    return Period(entry=entry, permanent=years is None, years=years, **{**given_, **other})


def test_what_belongs_to_no_series_or_was_never_decided_is_kept() -> None:
    assert kept([], 10, DAYS) == Kept(Why.NO_SERIES)
    assert kept([[]], 10, DAYS).why == Why.NO_ANSWER
    assert kept([[period(1)], []], 10, DAYS).why == Why.NO_ANSWER, "one series that is open keeps it"


def test_permanent_beats_every_period() -> None:
    found = kept([[period(1)], [period(None, series="SPED 2")]], 10, DAYS)
    assert (found.why, found.eligible_on, found.series) == (Why.PERMANENT, None, ("SPED 2",))


def test_a_day_that_nobody_knows_keeps_it() -> None:
    assert kept([[period(1), period(1, counts_from=CountsFrom.LEFT, entry=20)]], 10, DAYS).why == Why.NO_DATE


def test_the_longest_wins() -> None:
    found = kept([[period(3)], [period(3, series="SPED 2", counts_from=CountsFrom.SCHOOL_YEAR)]], 10, DAYS)
    assert (found.eligible_on, found.series) == (date(2030, 7, 1), ("SPED 2",))


def test_a_shortened_period_counts_only_for_what_is_made_afterwards() -> None:
    long, short = period(10, entry=5), period(1, entry=50)
    assert kept([[long, short]], 10, DAYS).eligible_on == date(2036, 11, 25)
    assert kept([[long, short]], 60, DAYS).eligible_on == date(2027, 11, 25)


def test_a_lengthened_period_reaches_what_is_here_already() -> None:
    assert kept([[period(1, entry=5), period(10, entry=50)]], 10, DAYS).eligible_on == date(2036, 11, 25)


def test_a_parent_may_ask_only_where_every_decision_lets_them() -> None:
    assert kept([[period(1, on_request=True)], [period(None, on_request=True)]], 10, DAYS).on_request
    assert not kept([[period(1, on_request=True), period(1, entry=20)]], 10, DAYS).on_request


@pytest.mark.parametrize(
    ("day", "years", "first"),
    [
        (date(2026, 11, 24), 5, date(2031, 11, 25)),
        (date(2024, 2, 29), 1, date(2025, 3, 2)),
        (date(2024, 2, 29), 4, date(2028, 3, 1)),
        (None, 5, None),
    ],
)
def test_the_anniversary_itself_belongs_to_the_period(day: date | None, years: int, first: date | None) -> None:
    assert after(day, years) == first


@pytest.mark.parametrize(
    ("day", "end"),
    [(date(2026, 6, 30), date(2026, 6, 30)), (date(2026, 7, 1), date(2027, 6, 30)), (DAY, date(2027, 6, 30))],
)
def test_school_years_end_in_june(day: date, end: date) -> None:
    assert school_year_ends(day) == end


def test_of_several_meetings_the_one_that_is_kept_longest_counts() -> None:
    early, late = Kept(Why.PERIOD, date(2027, 1, 1)), Kept(Why.PERIOD, date(2028, 1, 1))
    assert longest([early, late]) == late
    assert longest([early, Kept(Why.PERMANENT)]).eligible_on is None
    # a parent of one student asks for nothing that the other meeting's decision forbids
    for one, other in ((early, replace(late, on_request=True)), (replace(early, on_request=True), late)):
        assert not longest([one, other]).on_request
    assert longest([replace(early, on_request=True), replace(late, on_request=True)]).on_request


PERIODS = st.lists(
    st.builds(
        period,
        st.one_of(st.none(), st.integers(1, 30)),
        st.integers(1, 100),
        counts_from=st.sampled_from(list(CountsFrom)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.entry,
)


@given(PERIODS, st.integers(1, 110), st.booleans())
def test_a_new_decision_never_makes_anything_eligible_earlier(periods: list[Period], first: int, more: bool) -> None:
    new = period(1, entry=200) if more else period(None, entry=200)
    before = kept([periods], first, DAYS | {CountsFrom.LEFT: DAY})
    then = kept([[*periods, new]], first, DAYS | {CountsFrom.LEFT: DAY})
    if then.eligible_on is not None:
        assert before.eligible_on is not None
        assert then.eligible_on >= before.eligible_on
    assert set(governing(periods, first)) <= set(governing([*periods, new], first))
