"""The arithmetic of passages, for all passages: they overlap, touch, are empty, and lie beyond the end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archive.records.redactions.rules import (
    AHEAD_S,
    FASTEST,
    Span,
    heard_with,
    length,
    merged,
    minus,
    outside,
    time_was_enough,
    within,
)

END = 140
SPANS = st.lists(
    st.builds(lambda first, size: Span(first, first + size), st.integers(0, 100), st.integers(0, 60)), max_size=6
)


def frames(spans: list[Span] | tuple[Span, ...]) -> set[int]:
    return {frame for one in spans for frame in range(one.first, one.last)}


@given(SPANS)
def test_merged_is_the_same_frames_in_order_and_apart(spans: list[Span]) -> None:
    found = merged(spans)
    assert frames(found) == frames(spans)
    assert all(one.first < one.last for one in found)
    assert all(one.last < other.first for one, other in pairwise(found)), "what touches is one"


@given(SPANS, SPANS)
def test_minus_takes_away_and_leaves_the_rest(spans: list[Span], taken: list[Span]) -> None:
    assert frames(minus(spans, taken)) == frames(spans) - frames(taken)
    assert minus(spans, taken) == merged(minus(spans, taken))


@given(SPANS, st.integers(0, END))
def test_outside_is_all_but_the_passages_and_never_beyond_the_end(spans: list[Span], end: int) -> None:
    assert frames(outside(spans, end)) == set(range(end)) - frames(spans)


@given(SPANS, st.integers(0, END), st.integers(0, END))
def test_within_is_what_lies_there(spans: list[Span], first: int, last: int) -> None:
    assert frames(within(spans, first, last)) == frames(spans) & set(range(first, last))


@given(SPANS)
def test_a_frame_counts_once_in_a_length(spans: list[Span]) -> None:
    assert length(spans) == len(frames(spans))


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 800), st.floats(0, 2000)), max_size=8))
def test_no_more_counts_as_heard_than_was_sent_and_can_have_been_played(sent: list[tuple[int, int, float]]) -> None:
    heard: tuple[Span, ...] = ()
    rate, elapsed = 10, 0.0
    for first, size, pause in sent:
        elapsed += pause
        before, span = heard, Span(first, first + size)
        heard = heard_with(heard, span, elapsed_s=elapsed, rate=rate)
        assert frames(before) <= frames(heard) <= frames(before) | frames((span,))
        assert length(heard) <= (FASTEST * elapsed + AHEAD_S) * rate


def test_who_listens_at_double_speed_is_believed_and_who_loads_all_at_once_is_not() -> None:
    rate, hour = 10, 36_000
    heard: tuple[Span, ...] = ()
    for first in range(0, hour, 200):
        heard = heard_with(heard, Span(first, first + 200), elapsed_s=first / rate / FASTEST, rate=rate)
    assert heard == (Span(0, hour),)
    assert time_was_enough(heard, elapsed_s=hour / rate / FASTEST, rate=rate)
    at_once = heard_with((), Span(0, hour), elapsed_s=0, rate=rate)
    assert at_once == (Span(0, int(AHEAD_S * rate)),)
    assert not time_was_enough([Span(0, hour)], elapsed_s=60, rate=rate)
