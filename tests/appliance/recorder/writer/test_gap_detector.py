"""Promise 5: no false gap at +-200 ppm over four hours, drift within 5 ppm; a loss of a block or more, or one that
PortAudio flags, is one gap, within 50 ms."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.recorder.ipc.ring import DAMAGED, INPUT_OVERFLOW, Block
from appliance.recorder.writer.gap_detector import GapDetector, Passed

RATE = 48000
FRAMES = 4096
BLOCK_S = FRAMES / RATE


def make(seq: int, captured_s: float, *, flags: int = 0, lost_before: int = 0) -> Block:
    damaged = bool(flags & DAMAGED)
    return Block(seq, 0 if damaged else round(captured_s * 1e9), FRAMES, lost_before, 0, flags, 1, b"")


def arrivals(
    blocks: int, ppm: float, seed: int, *, losses: dict[int, float] | None = None, stalls: float = 0.001
) -> Iterator[Block]:
    """Blocks of a card that is `ppm` fast; callbacks are late at random, sometimes by up to a block; frames get
    lost."""
    chance = random.Random(seed)
    period = BLOCK_S / (1 + ppm / 1e6)
    lost = 0.0
    free = 0.0
    for number in range(blocks):
        lost += (losses or {}).get(number, 0.0)
        due = 1000.0 + (number + 1) * period + lost
        late = chance.expovariate(1 / 0.0005) + (chance.uniform(0, 0.3) if chance.random() < stalls else 0.0)
        free = max(free + 0.00005, due + late)  # one thread: a block cannot overtake the one before it
        yield make(number + 1, free)


def run(blocks: Iterator[Block]) -> tuple[GapDetector, list[Passed]]:
    gap_detector = GapDetector(RATE, FRAMES)
    passed = [item for block in blocks for item in gap_detector.add_block(block)]
    return gap_detector, passed


@settings(max_examples=4, deadline=None)
@given(st.floats(-200, 200), st.integers(0, 1 << 32))
def test_four_hours_of_drift_make_no_gap_and_are_told_within_5_ppm(ppm: float, seed: int) -> None:
    gap_detector, passed = run(arrivals(int(4 * 3600 / BLOCK_S), ppm, seed))
    assert [item.missing for item in passed if item.missing] == []
    drift = gap_detector.drift_ppb()
    assert drift is not None
    assert abs(drift / 1000 - ppm) < 5


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-200, 200),
    st.integers(0, 1 << 32),
    st.dictionaries(st.integers(0, 8), st.floats(BLOCK_S, 25.0), min_size=1, max_size=4),
)
@example(0.0, 342, {0: 1.0, 4: 1.0})  # a block that came late for itself, right before the second loss
def test_each_loss_of_a_block_or_more_is_one_gap_of_its_length_where_it_was(
    ppm: float, seed: int, at: dict[int, float]
) -> None:
    losses = {40 + slot * 150: seconds for slot, seconds in at.items()}
    _, passed = run(arrivals(1600, ppm, seed, losses=losses))
    found = {item.block.seq - 1: item.missing / RATE for item in passed if item.missing}
    # a queue may stand behind the loss, so that the first late block is one of the next few
    assert len(found) == len(losses)
    for (place, length), (lost_at, lost) in zip(sorted(found.items()), sorted(losses.items()), strict=True):
        assert abs(length - lost) < 0.05
        assert -4 <= place - lost_at <= 4


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-200, 200),
    st.integers(0, 1 << 32),
    st.lists(st.tuples(st.integers(13, 30), st.floats(BLOCK_S, 2.0)), min_size=2, max_size=8),
)
@example(200.0, 2, [(13, 0.25), (21, 0.381)])  # two steps that a median of stretches takes for a slope
@example(0.0, 1, [(14, 0.4)] * 8)
def test_losses_that_follow_each_other_quickly_are_no_wrong_clock_and_each_is_told(
    ppm: float, seed: int, losses: list[tuple[int, float]]
) -> None:
    places = list(itertools.accumulate(after for after, _ in losses))
    at = dict(zip(places, (seconds for _, seconds in losses), strict=True))
    detector, passed = run(arrivals(places[-1] + 30, ppm, seed, losses=at, stalls=0))
    found = {item.block.seq - 1: item.missing / RATE for item in passed if item.missing}
    assert len(found) == len(at)
    for (place, length), (lost_at, lost) in zip(sorted(found.items()), sorted(at.items()), strict=True):
        assert abs(length - lost) < 0.05
        assert abs(place - lost_at) <= 4
    assert not detector.rate_is_wrong()


@settings(max_examples=100, deadline=None)
@given(st.floats(BLOCK_S, 3.0), st.floats(0, 0.3), st.integers(1, 4), st.integers(0, 1 << 32))
def test_a_block_that_waited_right_before_a_loss_neither_moves_nor_splits_it(
    lost: float, waited: float, before: int, seed: int
) -> None:
    chance, free, blocks = random.Random(seed), 0.0, []
    for number in range(140):
        due = 1000 + (number + 1) * BLOCK_S + (lost if number >= 100 else 0)
        late = chance.expovariate(1 / 0.0005) + (waited if number == 100 - before else 0)
        free = max(free + 0.00005, due + late)
        blocks.append(make(number + 1, free))
    [gap] = [item for item in run(iter(blocks))[1] if item.missing]
    assert abs(gap.missing / RATE - lost) < 0.05
    assert abs(gap.block.seq - 101) <= 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 0.9), min_size=50, max_size=300))
def test_queueing_of_up_to_a_second_is_no_loss_and_every_block_goes_through_once_in_order(lates: list[float]) -> None:
    free = 0.0
    blocks = []
    for number, late in enumerate(lates):
        # each burst of queueing is followed by blocks that are in time again
        free = max(free + 0.0001, 1000 + number * BLOCK_S + (late if number % 25 == 24 else 0))
        blocks.append(make(number + 1, free))
    gap_detector, passed = run(iter(blocks))
    passed += gap_detector.flush()
    assert [item.block.seq for item in passed] == list(range(1, len(lates) + 1))
    assert not any(item.missing for item in passed)


def test_a_block_in_time_is_not_held_back() -> None:
    gap_detector = GapDetector(RATE, FRAMES)
    for block in arrivals(200, 50, 1, stalls=0):
        assert [item.block for item in gap_detector.add_block(block)] == [block]


def test_a_reported_loss_is_not_found_a_second_time() -> None:
    blocks = [make(n + 1, 1000 + (n + (20 if n >= 100 else 0)) * BLOCK_S) for n in range(200)]
    blocks[100] = make(101, 1000 + 120 * BLOCK_S, lost_before=20 * FRAMES)
    _, passed = run(iter(blocks))
    assert len(passed) == 200
    assert not any(item.missing for item in passed)


def test_a_loss_that_portaudio_flagged_is_told_as_overflow() -> None:
    blocks = [make(n + 1, 1000 + (n + (5 if n >= 100 else 0)) * BLOCK_S) for n in range(200)]
    blocks[100] = make(101, 1000 + 105 * BLOCK_S, flags=INPUT_OVERFLOW)
    _, passed = run(iter(blocks))
    gaps = [item for item in passed if item.missing]
    assert [(gap.missing, gap.overflow, gap.block.seq) for gap in gaps] == [(5 * FRAMES, True, 101)]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.floats(0.012, 3.0), st.floats(-200, 200), st.integers(0, 1 << 32))
@example(1, 0.2, 0.0, 0)  # right behind a capture's first block
def test_a_loss_that_portaudio_flagged_is_a_gap_of_its_length_however_short_and_early(
    at: int, lost: float, ppm: float, seed: int
) -> None:
    blocks = [*arrivals(at + 40, ppm, seed, losses={at: lost}, stalls=0)]
    blocks[at] = replace(blocks[at], flags=INPUT_OVERFLOW)
    [gap] = [item for item in run(iter(blocks))[1] if item.missing]
    assert (gap.block.seq, gap.overflow) == (at + 1, True)
    assert abs(gap.missing / RATE - lost) < 0.01


def test_a_flag_without_a_loss_makes_no_gap() -> None:
    blocks = [replace(block, flags=INPUT_OVERFLOW) for block in arrivals(200, 0, 1)]
    gap_detector, passed = run(iter(blocks))
    passed += gap_detector.flush()
    assert len(passed) == 200
    assert not any(item.missing for item in passed)


def test_a_damaged_block_keeps_its_place() -> None:
    blocks = [make(n + 1, 1000 + n * BLOCK_S, flags=DAMAGED if n == 50 else 0) for n in range(100)]
    _, passed = run(iter(blocks))
    assert [item.block.seq for item in passed] == list(range(1, 101))
    assert not any(item.missing for item in passed)


@pytest.mark.parametrize(("late_blocks", "expected"), [(1, 0), (2, 0), (3, 10 * FRAMES), (8, 10 * FRAMES)])
def test_what_is_held_when_a_capture_ends_goes_through(late_blocks: int, expected: int) -> None:
    total = 100 + late_blocks
    blocks = [make(n + 1, 1000 + (n + (10 if n >= 100 else 0)) * BLOCK_S) for n in range(total)]
    gap_detector, passed = run(iter(blocks))
    assert len(passed) == 100
    last = gap_detector.flush()
    assert len(last) == late_blocks
    assert last[0].missing == expected


def test_drift_needs_a_minute_and_survives_a_new_capture() -> None:
    gap_detector = GapDetector(RATE, FRAMES)
    for block in arrivals(500, 80, 3, stalls=0):
        gap_detector.add_block(block)
    assert gap_detector.drift_ppb() is None
    for seed in range(8):
        gap_detector.flush()
        for block in arrivals(1200, 80, seed, stalls=0):
            gap_detector.add_block(block)
    drift = gap_detector.drift_ppb()
    assert drift is not None
    assert abs(drift - 80_000) < 5_000


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([-81_250.0, -10_000.0, -5_000.0, 5_000.0, 10_000.0, 88_000.0]), st.integers(0, 1 << 32))
@example(-81_250.0, 0)  # 44.1 kHz called 48
def test_a_card_whose_clock_is_wrong_loses_nothing_and_is_told_within_30_s(ppm: float, seed: int) -> None:
    detector = GapDetector(RATE, FRAMES)
    told_s = None
    for number, block in enumerate(arrivals(int(120 / BLOCK_S), ppm, seed)):
        assert not any(item.missing for item in detector.add_block(block))
        if told_s is None and detector.rate_is_wrong():
            told_s = number * BLOCK_S
    assert told_s is not None
    assert told_s < 30
    drift = detector.drift_ppb()
    assert drift is not None
    assert abs(drift / 1000 - ppm) < 50


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([-81_250.0, -10_000.0, 10_000.0]),
    st.integers(150, 400),
    st.floats(2 * BLOCK_S, 20.0),
    st.integers(0, 1 << 32),
)
def test_a_loss_on_a_card_whose_clock_is_wrong_is_one_gap_of_its_length(
    ppm: float, at: int, lost: float, seed: int
) -> None:
    _, passed = run(arrivals(600, ppm, seed, losses={at: lost}, stalls=0))
    [gap] = [item for item in passed if item.missing]
    assert abs(gap.missing / RATE - lost) < 0.06
    assert abs(gap.block.seq - 1 - at) <= 4


@settings(max_examples=20, deadline=None)
@given(st.floats(-400, 400), st.integers(0, 1 << 32))
def test_a_crystal_as_they_are_is_no_wrong_clock(ppm: float, seed: int) -> None:
    detector = GapDetector(RATE, FRAMES)
    for block in arrivals(int(300 / BLOCK_S), ppm, seed, stalls=0.02):
        detector.add_block(block)
        assert not detector.rate_is_wrong()


@pytest.mark.parametrize("ppm", [-900.0, 900.0])
def test_some_hundred_ppm_too_many_are_told_after_a_minute(ppm: float) -> None:
    detector, passed = run(arrivals(int(90 / BLOCK_S), ppm, 1))
    assert detector.rate_is_wrong()
    assert not any(item.missing for item in passed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.floats(0, 0.4), st.integers(3, 40))
def test_a_busy_machines_first_seconds_are_no_wrong_clock(seed: int, most: float, blocks: int) -> None:
    # callbacks come later and later while the machine is busy, and in time again after that
    chance, free, detector = random.Random(seed), 0.0, GapDetector(RATE, FRAMES)
    for number in range(400):
        late = most * number / blocks if number < blocks else chance.expovariate(1 / 0.002)
        free = max(free + 0.00005, 1000 + (number + 1) * BLOCK_S + late)
        detector.add_block(make(number + 1, free))
        assert not detector.rate_is_wrong()
