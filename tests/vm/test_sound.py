"""The comparison of what was played with what arrived finds what is wrong, and calls nothing else wrong."""

from __future__ import annotations

import numpy as np

from tests.vm.sound import Comparison, compare

PLAYED = np.random.default_rng(3).integers(-300, 300, 50_000, dtype=np.int16)


def test_a_span_of_what_was_played_is_equal_frame_for_frame() -> None:
    assert compare(PLAYED[1000:30_000], (), PLAYED) == Comparison(29_000, 0, 0, 1, 0, 0)


def test_one_wrong_frame_is_found() -> None:
    heard = PLAYED[1000:30_000].copy()
    heard[5000] += 1
    assert compare(heard, (), PLAYED) == Comparison(28_999, 0, 0, 2, 1, 0)


def test_a_missing_span_is_a_jump_and_shifts_what_follows() -> None:
    heard = np.concatenate([PLAYED[1000:5000], PLAYED[6000:9000]])
    assert compare(heard, (), PLAYED) == Comparison(7000, 0, 0, 2, 0, 1000)


def test_a_gap_that_the_ledger_tells_is_counted_apart() -> None:
    heard = np.concatenate([PLAYED[1000:5000], np.zeros(2000, np.int16), PLAYED[7000:9000]])
    assert compare(heard, ((4000, 2000),), PLAYED) == Comparison(6000, 2000, 0, 2, 0, 0)


def test_silence_of_an_idle_card_is_neither_equal_nor_wrong() -> None:
    heard = np.concatenate([np.zeros(3000, np.int16), PLAYED[:4000]])
    assert compare(heard, (), PLAYED) == Comparison(4000, 0, 3000, 1, 0, 0)


def test_what_was_never_played_is_wrong() -> None:
    other = np.random.default_rng(4).integers(-300, 300, 200, dtype=np.int16)
    assert compare(other, (), PLAYED).wrong >= 180
