"""A box's requests: a minute's worth at once, and from then on evenly."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.request_rate import RequestRate, TooManyRequestsError


@given(
    st.integers(60, 1000),
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 90), st.integers(1, 400)), max_size=30),
)
def test_no_box_is_served_more_than_a_minutes_worth_and_what_has_filled_up_since(
    a_minute: int, asked: list[tuple[str, float, int]]
) -> None:
    clock = [0.0]
    rate = RequestRate(lambda: clock[0])
    served: dict[str, list[float]] = {"a": [], "b": []}
    for box, pause, times in asked:
        clock[0] += pause
        for _ in range(times):
            try:
                rate.count(box, a_minute)
            except TooManyRequestsError as error:
                wait = int(error.headers["Retry-After"])
                assert 1 <= wait <= math.ceil(60 / a_minute)
                break
            served[box].append(clock[0])
    for times_served in served.values():
        for first in range(0, len(times_served), 37):
            within = [at for at in times_served[first:] if at <= times_served[first] + 60]
            assert len(within) <= 2 * a_minute + 1, "a full bucket and a minute's filling"


def test_who_waits_as_told_is_served() -> None:
    clock = [0.0]
    rate = RequestRate(lambda: clock[0])
    refused = 0
    for _ in range(500):
        try:
            rate.count("box-1", 60)
        except TooManyRequestsError as error:
            refused += 1
            clock[0] += int(error.headers["Retry-After"])
            rate.count("box-1", 60)
    assert refused >= 400
