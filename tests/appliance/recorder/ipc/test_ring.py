"""The ring loses nothing silently: what is taken is what was pushed, and what did not fit is counted."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recorder.ipc.ring import INPUT_OVERFLOW, Consumer, Producer, Ring, RingError

FRAMES = 16

STALE_NS = 500_000_000


def small(slots: int = 4) -> Ring:
    return Ring.create(48000, FRAMES, slots * FRAMES / 48000)


def audio(number: int, frames: int = FRAMES) -> bytes:
    return (number % 30000).to_bytes(2, "little", signed=True) * frames


@given(st.lists(st.tuples(st.booleans(), st.integers(1, FRAMES)), max_size=80))
def test_every_frame_is_taken_in_order_or_counted_as_lost(steps: list[tuple[bool, int]]) -> None:
    ring = small()
    producer, consumer = Producer(ring, 1), Consumer(ring)
    model: list[tuple[int, bytes, int]] = []
    pending_lost = lost = pushed = 0
    for number, (push, frames) in enumerate(steps):
        if push:
            data = audio(number, frames)
            if producer.push(data, frames, number):
                model.append((number, data, pending_lost))
                pending_lost = 0
                pushed += 1
            else:
                assert len(model) == ring.slots
                pending_lost += frames
                lost += frames
        else:
            block = consumer.read()
            if not model:
                assert block is None
            else:
                assert block is not None
                assert (block.captured_ns, block.data, block.lost_before) == model.pop(0)
                assert not block.damaged
                assert block.generation == 1
    assert ring.lost_frames == lost
    assert ring.write_seq == pushed
    assert consumer.waiting() == len(model)


def test_the_frames_lost_last_are_told_by_the_total() -> None:
    ring = small(2)
    producer, consumer = Producer(ring, 1), Consumer(ring)
    for number in range(3):
        producer.push(audio(number), FRAMES, number)
    taken = [consumer.read(), consumer.read()]
    assert taken[1] is not None
    assert ring.lost_frames - taken[1].lost_total == FRAMES


def test_a_flipped_bit_makes_a_damaged_block_of_silence_and_the_next_one_is_whole() -> None:
    ring = small()
    producer, consumer = Producer(ring, 3), Consumer(ring)
    producer.push(audio(7), FRAMES, 1)
    producer.push(audio(8), FRAMES, 2)
    ring._bytes[ring._offset(1) + 64] ^= 1
    first, second = consumer.read(), consumer.read()
    assert first is not None
    assert first.damaged
    assert first.data == bytes(2 * FRAMES)
    assert second is not None
    assert second.data == audio(8)


def test_a_slot_with_another_number_is_damaged() -> None:
    ring = small()
    producer, consumer = Producer(ring, 1), Consumer(ring)
    producer.push(audio(7), FRAMES, 1)
    ring._head(1)[0] = 5
    block = consumer.read()
    assert block is not None
    assert block.damaged


def test_promise_1_the_heartbeat_vouches_for_half_a_second_and_darkness_for_nothing() -> None:
    ring = small()
    assert not ring.lit(10, STALE_NS)
    ring.write_heartbeat(1_000_000_000)
    assert ring.lit(1_400_000_000, STALE_NS)
    assert ring.lit(1_500_000_000, STALE_NS)
    assert not ring.lit(1_500_000_001, STALE_NS)
    ring.clear_heartbeat()
    assert not ring.lit(1_000_000_000, STALE_NS)


def test_another_process_sees_the_same_ring() -> None:
    ring = small()
    other = Ring.attach(os.dup(ring.descriptor))
    Producer(ring, 2).push(audio(9), FRAMES, 5, INPUT_OVERFLOW)
    block = Consumer(other).read()
    assert block is not None
    assert (block.data, block.flags, block.generation) == (audio(9), INPUT_OVERFLOW, 2)
    assert (ring.read_seq, block.captured_ns) == (1, 5)


def test_the_ring_holds_thirty_seconds() -> None:
    ring = Ring.create(48000)
    assert ring.slots * ring.block_frames >= 30 * 48000
    assert ring.block_frames == 4096


def test_a_block_of_the_wrong_size_is_refused() -> None:
    producer = Producer(small(), 1)
    with pytest.raises(RingError, match="does not fit"):
        producer.push(b"\0\0", 2, 1)
    with pytest.raises(RingError, match="does not fit"):
        producer.push(audio(1, FRAMES + 1), FRAMES + 1, 1)


def test_a_descriptor_that_is_no_ring_is_refused() -> None:
    empty = os.memfd_create("empty")
    with pytest.raises(RingError, match="no ring"):
        Ring.attach(empty)
    os.ftruncate(empty, 8192)
    with pytest.raises(RingError, match="no ring"):
        Ring.attach(empty)
    os.close(empty)


def test_the_heirs_of_a_ring_cannot_shrink_it() -> None:
    ring = small()
    with pytest.raises(OSError, match="Operation not permitted"):
        os.ftruncate(ring.descriptor, 0)
