"""Which spans were sent, in whole seconds: never less than what was sent, and never too long a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recordings.spans import MOST_TOLD, as_text, from_text, in_seconds, joined

FRAMES = st.integers(0, 500_000)


@pytest.mark.parametrize(
    ("spans", "whole"),
    [
        ([], []),
        ([(5, 5)], []),
        ([(5, 9), (0, 5)], [(0, 9)]),
        ([(0, 5), (6, 9), (2, 4)], [(0, 5), (6, 9)]),
    ],
)
def test_spans_that_touch_are_one(spans: list[tuple[int, int]], whole: list[tuple[int, int]]) -> None:
    assert joined(spans) == whole


def test_seconds_hold_every_frame_that_was_sent() -> None:
    assert in_seconds([(0, 1), (8000, 16000), (31999, 32001)], 8000) == ([(0, 2), (3, 5)], 0)


def test_of_very_many_spans_the_shortest_gaps_count_as_sent_and_that_is_told() -> None:
    spans = [(100 * number * 10, (100 * number + number % 3 + 1) * 10) for number in range(200)]
    seconds, gap = in_seconds(spans, 10)
    assert len(seconds) <= MOST_TOLD
    assert gap > 0


@given(st.lists(st.tuples(FRAMES, FRAMES), max_size=300), st.sampled_from([8000, 100]))
def test_what_is_told_is_never_less_than_what_was_sent(spans: list[tuple[int, int]], rate: int) -> None:
    seconds, gap = in_seconds(spans, rate)
    assert len(seconds) <= MOST_TOLD
    for first, last in spans:
        if first < last:
            assert any(begin * rate <= first and last <= end * rate for begin, end in seconds)
    assert from_text(as_text(seconds)) == seconds
    told, sent = sum(end - begin for begin, end in seconds), joined((a // rate, -(-b // rate)) for a, b in spans)
    assert told <= sum(b - a for a, b in sent) + gap * len(sent)
