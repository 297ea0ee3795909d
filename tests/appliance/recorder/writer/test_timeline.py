"""Every frame of a recording is a sample that arrived, or silence under a gap that says why (docs/format.md, 2.4)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.recorder.ipc.ring import DAMAGED, Block
from appliance.recorder.writer.segmenter import Gap, Segment, Segmenter
from appliance.recorder.writer.timeline import CLOSING_NS, WAKING_NS, Timeline
from tests.support.box.writer import Samples, speech

RATE = 8000
BLOCK = 800
SEGMENT = 8000


class Source:
    """Makes blocks of one ring, with the losses that are asked for."""

    def __init__(self) -> None:
        self.seq = 0
        self.lost = 0
        self.now_ns = 1_000_000_000
        self.generation = 1

    def block(self, *, lost_before: int = 0, damaged: bool = False) -> Block:
        self.seq += 1
        self.lost += lost_before
        self.now_ns += (lost_before + BLOCK) * 1_000_000_000 // RATE
        data = bytes(2 * BLOCK) if damaged else speech(BLOCK, self.seq).tobytes()
        at_ns, flags = (0, DAMAGED) if damaged else (self.now_ns, 0)
        return Block(self.seq, at_ns, BLOCK, lost_before, 0 if damaged else self.lost, flags, self.generation, data)


def joined(segments: list[Segment]) -> Samples:
    return np.concatenate([segment.samples for segment in segments]) if segments else np.zeros(0, np.int16)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("block"), st.integers(1, 30)),
            st.tuples(st.just("lost"), st.integers(1, 20000)),
            st.tuples(st.just("damaged"), st.just(0)),
            st.tuples(st.just("unplugged"), st.integers(1, 60000)),
            st.tuples(st.just("pause"), st.integers(1, 60000)),
        ),
        max_size=20,
    )
)
def test_samples_and_gaps_make_up_the_whole_timeline(events: list[tuple[str, int]]) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments: list[Segment] = []
    expected: list[Samples] = []
    gaps: list[tuple[int, str]] = []
    last_known = False
    for event, number in [("block", 1), *events]:
        if event in {"block", "lost", "damaged"}:
            lost = number if event == "lost" else 0
            if not last_known and event == "damaged":
                continue  # where a capture begins with damage, its time is not known
            block = source.block(lost_before=lost, damaged=event == "damaged")
            last_known = True
            if lost:
                expected.append(np.zeros(lost, np.int16))
                gaps.append((lost, "overrun"))
            if event == "damaged":
                gaps.append((BLOCK, "checksum"))
            expected.append(np.frombuffer(block.data, "<i2"))
            segments += timeline.add_block(block)
            for _ in range(number - 1 if event == "block" else 0):
                block = source.block()
                expected.append(np.frombuffer(block.data, "<i2"))
                segments += timeline.add_block(block)
        else:
            segments += timeline.end_capture(source.lost)
            source.generation += 1
            source.now_ns += number * 1_000_000_000 // RATE
            if event == "pause":
                timeline.pause()
            else:
                timeline.expect_gap("unplugged")
                block = source.block()
                if last_known:  # otherwise there is no moment since which frames could be missing
                    expected.append(np.zeros(number, np.int16))
                    gaps.append((number, "unplugged"))
                expected.append(np.frombuffer(block.data, "<i2"))
                segments += timeline.add_block(block)
            last_known = event != "pause"
    segments += timeline.end_capture(source.lost)
    whole = np.concatenate(expected)
    found = [(gap.frames, gap.cause) for segment in segments for gap in segment.gaps]
    assert [cause for _, cause in found] == [cause for _, cause in gaps]
    assert all(abs(a - b) <= 1 for (a, _), (b, _) in zip(found, gaps, strict=True))
    assert abs(joined(segments).size - whole.size) <= len(gaps)
    if joined(segments).size == whole.size:
        assert np.array_equal(joined(segments), whole)
    frame = 0
    for segment in segments:
        assert segment.first_frame == frame
        assert 0 < segment.samples.size <= SEGMENT
        frame += segment.samples.size
    assert frame == timeline.frames


def test_a_pause_and_then_a_lost_microphone_leave_no_frame_for_the_pause() -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments = list(timeline.add_block(source.block()))
    segments += timeline.end_capture(0)
    timeline.pause()
    timeline.expect_gap("unplugged")
    source.generation, source.now_ns = 2, source.now_ns + 9_000_000_000
    segments += timeline.add_block(source.block())
    segments += timeline.end_capture(0)
    assert joined(segments).size == 2 * BLOCK
    assert not any(segment.gaps for segment in segments)


def test_frames_lost_last_are_silence_before_the_capture_ends() -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    list(timeline.add_block(source.block()))
    (segment,) = timeline.end_capture(source.lost + 500)
    assert segment.gaps == (Gap(BLOCK, 500, "overrun"),)
    assert segment.samples.size == BLOCK + 500


def test_silence_of_hours_takes_no_memory() -> None:
    segmenter = Segmenter(SEGMENT)
    segments = list(segmenter.silence(4 * 3600 * RATE, "unplugged", 1))
    assert len(segments) == 4 * 3600
    assert all(segment.silent for segment in segments)
    assert len({segment.samples.ctypes.data for segment in segments}) == 1
    assert segments[0].gaps == (Gap(0, 4 * 3600 * RATE, "unplugged"),)
    assert not any(segment.gaps for segment in segments[1:])


@settings(deadline=None)
@given(st.booleans(), st.integers(0, 60000), st.integers(0, 3))
def test_a_capture_that_never_started_leaves_a_gap_from_its_opening_on(paused: bool, frames: int, again: int) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments: list[Segment] = []
    if paused:
        segments += [part for _ in range(5) for part in timeline.add_block(source.block())]
        segments += timeline.end_capture(None)
        timeline.pause()
        source.now_ns += 3_000_000_000
        source.generation += 1
    before = timeline.frames
    timeline.opened(source.now_ns)
    source.now_ns += frames * 1_000_000_000 // RATE
    for _ in range(again):
        timeline.expect_gap("stall")
        timeline.opened(source.now_ns)
    source.generation += again
    segments += timeline.add_block(source.block())
    segments += timeline.end_capture(None)
    gaps = [(gap.first_frame, gap.frames, gap.cause) for segment in segments for gap in segment.gaps]
    if again and frames:
        [(first, length, cause)] = gaps
        assert (first, cause) == (before, "stall")
        assert abs(length - frames) <= 1
    else:
        assert gaps == [], "opening takes its time, and a capture that then starts as it should has lost nothing"


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4_000_000_000), max_size=8), st.booleans(), st.sampled_from(["comes back", "pause", "end"])
)
def test_a_gap_that_is_written_while_it_lasts_is_as_long_as_one_written_afterwards(
    pieces_ns: list[int], opened: bool, then: str
) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments: list[Segment] = []
    if opened:
        timeline.opened(source.now_ns)
    else:
        segments += timeline.add_block(source.block())
        segments += timeline.end_capture(0)
    before, since_ns = timeline.frames, source.now_ns
    assert list(timeline.fill(since_ns + 1_000_000_000)) == [], "nothing is written before the cause is known"
    timeline.expect_gap("unplugged")
    for piece_ns in pieces_ns:
        source.now_ns += piece_ns
        segments += timeline.fill(source.now_ns)
        assert timeline.absent_ns(source.now_ns) * RATE < 1_000_000_000
    if then == "pause":
        timeline.pause()
        source.now_ns += 7_000_000_000
    elif then == "end":
        segments += timeline.flush()
    source.generation += 1
    segments += timeline.add_block(source.block())
    segments += timeline.end_capture(0)
    gaps = [gap for segment in segments for gap in segment.gaps]
    lost = sum(gap.frames for gap in gaps)
    assert abs(lost - sum(pieces_ns) * RATE / 1e9) <= 1
    assert timeline.frames == before + lost + BLOCK
    assert timeline.silence == lost == sum(segment.silence for segment in segments)
    assert {gap.cause for gap in gaps} <= {"unplugged"}


def test_while_a_capture_runs_no_gap_is_filled() -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    list(timeline.add_block(source.block()))
    timeline.expect_gap("unplugged")
    assert timeline.absent_ns(source.now_ns + 60_000_000_000) == 0
    assert list(timeline.fill(source.now_ns + 60_000_000_000)) == []


@pytest.mark.parametrize("absent", [False, True])
def test_after_a_pause_sound_is_owed_from_the_opening_or_if_no_microphone_was_there_from_the_resume(
    absent: bool,
) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments = [*timeline.add_block(source.block()), *timeline.end_capture(0)]
    timeline.pause()
    source.now_ns += 5_000_000_000
    timeline.resume(source.now_ns)
    if absent:
        timeline.expect_gap("unplugged")
    source.now_ns += 2_000_000_000
    timeline.opened(source.now_ns)
    if not absent:
        timeline.expect_gap("stall")
    source.now_ns += 3_000_000_000
    timeline.opened(source.now_ns)
    source.generation += 1
    segments += [*timeline.add_block(source.block()), *timeline.end_capture(0)]
    [gap] = [gap for segment in segments for gap in segment.gaps]
    assert gap.frames == RATE * (5 if absent else 3)


@pytest.mark.parametrize("then", ["pause", "end"])
@settings(deadline=None)
@given(silent_ns=st.integers(0, 2_500_000_000), started=st.booleans())
def test_promise_5_a_microphone_that_fell_silent_right_before_a_stop_leaves_a_gap(
    then: str, silent_ns: int, started: bool
) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    timeline.opened(source.now_ns)
    if started:
        list(timeline.add_block(source.block()))
    before = timeline.frames
    closed_ns = source.now_ns + silent_ns
    list(timeline.end_capture(0))
    timeline.closed(closed_ns)
    segments = list(timeline.stop(closed_ns + 70_000_000))
    segments += timeline.flush()
    gaps = [gap for segment in segments for gap in segment.gaps]
    if silent_ns < (CLOSING_NS if started else WAKING_NS):
        assert gaps == [], "closing and opening take their time"
    else:
        assert [gap.cause for gap in gaps] == ["stall"]
        assert abs(gaps[0].frames - silent_ns * RATE / 1e9) <= 1
    if then == "pause":
        timeline.pause()
        source.generation, source.now_ns = 2, closed_ns + 9_000_000_000
        timeline.resume(source.now_ns)
        timeline.opened(source.now_ns)
        list(timeline.add_block(source.block()))
        assert timeline.frames == before + sum(gap.frames for gap in gaps) + BLOCK


@settings(deadline=None)
@given(
    losses=st.lists(st.integers(2 * BLOCK, 12 * BLOCK), min_size=1, max_size=4),
    then=st.sampled_from(["stop", "next capture"]),
)
def test_promise_5_losses_that_nobody_could_decide_before_a_capture_ended_are_told_in_sum(
    losses: list[int], then: str
) -> None:
    source, timeline = Source(), Timeline(RATE, BLOCK, SEGMENT)
    segments = [part for _ in range(40) for part in timeline.add_block(source.block())]
    for lost in losses:
        source.now_ns += lost * 1_000_000_000 // RATE
        segments += timeline.add_block(source.block())
    segments += timeline.end_capture(0)
    if then == "stop":
        timeline.closed(source.now_ns + CLOSING_NS)
        segments += timeline.stop(source.now_ns + CLOSING_NS)
        segments += timeline.flush()
        expected = sum(losses) + CLOSING_NS * RATE // 1_000_000_000
    else:
        timeline.expect_gap("capture-died")
        source.generation = 2
        segments += timeline.add_block(source.block())
        segments += timeline.end_capture(0)
        expected = sum(losses)
    assert abs(sum(gap.frames for segment in segments for gap in segment.gaps) - expected) <= BLOCK // 20
