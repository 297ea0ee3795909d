"""What a recording may promise to become fits into a package, and what does not fit is refused before it is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import UnsealableError
from appliance.contract.header import Audio
from appliance.contract.package_room import check_promise, check_room, longest_frames
from appliance.contract.segment import padded_size
from appliance.contract.zip_profile import CENTRAL, END, LOCAL, MAX_BYTES, MAX_MEMBERS

rates, blocks = st.integers(8000, 192000), st.integers(1000, 192000)
AGE_BYTES, LEDGER_LINE, MANIFEST_LINE, NAME = 300, 450, 110, 80
"""Of each segment, in bytes: what age adds, its lines, and the longest name in the package."""


@given(rates, blocks)
def test_the_longest_promise_that_is_taken_fits_into_a_package(rate: int, block: int) -> None:
    longest = longest_frames(block)
    check_promise(Audio(rate=rate, segment_frames=block, max_frames=longest))
    segments = -(-longest // block)
    headers = LOCAL.size + CENTRAL.size + 2 * NAME
    size = segments * (padded_size(block) + AGE_BYTES + LEDGER_LINE + MANIFEST_LINE + headers) + END.size
    assert size < MAX_BYTES
    assert segments < MAX_MEMBERS - 100
    check_room(longest, segments, segments + 1000)


@given(rates, blocks, st.integers(1, 1 << 30))
def test_whatever_is_longer_is_refused_with_the_setting_that_mends_it(rate: int, block: int, more: int) -> None:
    with pytest.raises(UnsealableError, match=r"limits\.cap_s") as caught:
        check_promise(Audio(rate=rate, segment_frames=block, max_frames=longest_frames(block) + more))
    assert caught.value.field == "audio.max_frames"


@pytest.mark.parametrize(
    ("frames", "segments", "lines"),
    [(1 << 31, 1, 1), (65_001 * 1000, 65_001, 65_001), (48_000, 1, 5_000_000), (2_100_000_000, 20_000, 20_000)],
    ids=["frames", "segments", "lines", "all together"],
)
def test_what_a_recording_became_is_held_against_the_same_room(frames: int, segments: int, lines: int) -> None:
    with pytest.raises(UnsealableError, match="seal --incomplete"):
        check_room(frames, segments, lines)


def test_four_hours_at_48_khz_are_taken() -> None:
    check_promise(Audio(rate=48000, segment_frames=48000, max_frames=4 * 3600 * 48000))
