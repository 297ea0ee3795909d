"""Backoff is jittered, grows, and has a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.courier.backoff import Backoff, Pace

chances = st.floats(0, 1)
paces = st.builds(
    lambda first, factor, quick: Pace(first, first * factor, quick),
    st.floats(0.01, 100),
    st.floats(1, 1000),
    st.integers(0, 200),
)


@given(paces, st.integers(1, 10_000), chances)
def test_a_pause_lies_between_half_the_first_and_the_longest(pace: Pace, attempt: int, chance: float) -> None:
    assert pace.shortest / 2 <= pace.pause(attempt, chance) <= pace.longest


@given(paces, st.integers(1, 300), chances)
def test_pauses_never_shrink_while_failures_go_on(pace: Pace, attempt: int, chance: float) -> None:
    assert pace.pause(attempt, chance) <= pace.pause(attempt + 1, chance)


@given(paces, st.integers(1, 300))
def test_chance_spreads_boxes_over_half_of_the_pause(pace: Pace, attempt: int) -> None:
    assert pace.pause(attempt, 1.0) == 2 * pace.pause(attempt, 0.0)


def test_it_doubles_after_the_quick_attempts() -> None:
    pace = Pace(shortest=1.0, longest=8.0, constant=2)
    assert [pace.pause(attempt, 1.0) for attempt in range(1, 8)] == [1, 1, 1, 2, 4, 8, 8]


@given(paces, st.integers(1, 50))
def test_a_success_ends_the_pause_and_forgets_the_failures(pace: Pace, failures: int) -> None:
    backoff = Backoff()
    for _ in range(failures):
        pause = backoff.failed(pace, 100.0)
        assert not backoff.due(100.0 + pause * 0.99)
        assert backoff.due(100.0 + pause)
    backoff.succeeded()
    assert backoff.due(100.0)
    assert backoff.attempts == 0
