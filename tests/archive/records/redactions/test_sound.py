"""Exactness, for all passages, gaps and pieces: nothing changed outside, nothing of the original left inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.segment import Samples
from archive.records.redactions.rules import Span, merged
from archive.records.redactions.sound import TONE_HZ, TONE_PEAK, Exactness, How, Plan, compare, redacted, tone
from tests.support.spools import noise

RATE, FRAMES = 50, 600
SPAN = st.builds(lambda first, size: Span(first, first + size), st.integers(0, FRAMES + 20), st.integers(1, 200))
PASSAGES = st.lists(st.tuples(SPAN, st.sampled_from(How)), max_size=6)
PLANS = st.builds(
    lambda passages, gaps: Plan(FRAMES, RATE, tuple(passages), merged(gaps)), PASSAGES, st.lists(SPAN, max_size=3)
)


def reading(samples: Samples, asked: list[Span] | None = None) -> Callable[[int, int], Samples]:
    def read(first: int, frames: int) -> Samples:
        if asked is not None:
            asked.append(Span(first, first + frames))
        return samples[first : first + frames]

    return read


def original(plan: Plan) -> Samples:
    """Noise in which no sample is 0, with silence where the gaps are."""
    samples = noise(FRAMES)
    samples[samples == 0] = 1
    for gap in plan.gaps:
        samples[gap.first : gap.last] = 0
    return samples


def by_sample(plan: Plan, samples: Samples) -> Samples:
    """What a copy must be, one sample after the other."""
    made = samples.copy()
    for n in range(FRAMES):
        hows = {how for span, how in plan.passages if span.first <= n < span.last}
        if hows:
            gap = any(one.first <= n < one.last for one in plan.gaps)
            quiet = How.MUTE in hows or gap
            made[n] = 0 if quiet else round(TONE_PEAK * np.sin(2 * np.pi * TONE_HZ * (n % RATE) / RATE))
    return made


@given(PLANS, st.integers(1, FRAMES + 50))
def test_a_copy_is_the_same_in_whatever_pieces_it_is_made(plan: Plan, piece: int) -> None:
    samples = original(plan)
    made = redacted(reading(samples), plan)
    pieces = [made(first, piece) for first in range(0, FRAMES, piece)]
    assert np.array_equal(np.concatenate(pieces), by_sample(plan, samples))


@given(PLANS)
def test_nothing_inside_a_passage_is_ever_read(plan: Plan) -> None:
    asked: list[Span] = []
    redacted(reading(original(plan), asked), plan)(0, FRAMES)
    inside = {n for span, _ in plan.passages for n in range(span.first, span.last)}
    assert inside.isdisjoint(n for one in asked for n in range(one.first, one.last))


@given(PLANS, st.integers(1, 200))
def test_what_was_made_so_holds(plan: Plan, piece: int) -> None:
    samples, found = original(plan), Exactness()
    made = redacted(reading(samples), plan)
    for first in range(0, FRAMES, piece):
        compare(found, reading(samples), first, made(first, piece), plan)
    assert (found.changed, found.left) == (0, 0)
    assert found.holds
    assert found.inside + found.outside == FRAMES


@given(PLANS, st.integers(0, FRAMES - 1), st.integers(1, 5))
def test_one_wrong_sample_is_counted_where_it_is(plan: Plan, at: int, off: int) -> None:
    samples, found = original(plan), Exactness()
    made = redacted(reading(samples), plan)(0, FRAMES)
    made[at] += np.int16(off)
    compare(found, reading(samples), 0, made, plan)
    inside = any(span.first <= at < span.last for span, _ in plan.passages)
    assert (found.changed, found.left) == ((0, 1) if inside else (1, 0))
    assert not found.holds


@given(PLANS)
def test_the_original_in_a_passage_s_place_is_found(plan: Plan) -> None:
    samples, found = original(plan), Exactness()
    compare(found, reading(samples), 0, samples, plan)
    assert found.left == int((by_sample(plan, samples) != samples).sum())


def test_a_copy_that_ends_early_is_no_copy_of_the_rest() -> None:
    found = Exactness()
    compare(found, reading(noise(10)), 0, noise(20), Plan(20, RATE, ()))
    assert found.changed == 20


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000])
def test_the_tone_is_quiet_and_goes_on_over_each_second(rate: int) -> None:
    second = tone(rate)
    assert second.size == rate
    assert int(np.abs(second).max()) == TONE_PEAK
    # 30 dB below full scale
    assert 20 * np.log10(TONE_PEAK / 32768) == pytest.approx(-30, abs=0.01)
    slope = 2 * np.pi * TONE_HZ * TONE_PEAK / rate
    assert abs(int(second[0]) - int(second[-1])) <= slope + 1, "no click where a second ends"
