"""What goes into the ring of a card that is not plain mono of 16 bits: what was chosen, raised, rounded; never a mix
unasked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recorder.capture.conversion import convert
from appliance.recorder.capture.input_format import InputFormat
from tests.support.box.writer import speech

FULL = 1 << 31


def of(data: bytes) -> list[int]:
    return list(np.frombuffer(data, "<i2"))


@pytest.mark.parametrize(
    ("channel", "expected"), [("left", [1000, -2000]), ("right", [3000, 2000]), ("mixed", [2000, 0])]
)
def test_of_two_channels_the_chosen_one_is_kept(channel: str, expected: list[int]) -> None:
    data = np.array([[1000, 3000], [-2000, 2000]], "<i2").tobytes()
    assert of(convert(data, InputFormat(channels=2, channel=channel))) == expected


def test_opposite_phase_is_silence_only_where_a_mix_was_asked_for() -> None:
    left = speech(4096)
    data = np.column_stack([left, -left]).astype("<i2").tobytes()
    assert not any(of(convert(data, InputFormat(channels=2, channel="mixed"))))
    assert of(convert(data, InputFormat(channels=2))) == list(left)


@given(st.lists(st.integers(-FULL, FULL - 1), min_size=1, max_size=50), st.floats(0, 60))
def test_32_bits_are_raised_before_they_are_rounded_and_cut_off_at_the_top(samples: list[int], gain_db: float) -> None:
    found = of(convert(np.array(samples, "<i4").tobytes(), InputFormat(bits=32, gain_db=gain_db)))
    for sample, kept in zip(samples, found, strict=True):
        true = sample / 65536 * 10 ** (gain_db / 20)
        assert kept == max(-32768, min(32767, kept))
        assert abs(max(-32768.0, min(32767.0, true)) - kept) <= 0.501


def test_quiet_speech_keeps_its_shape() -> None:
    loud = speech(48000)
    quiet = (loud.astype(np.float64) / 1000 * 65536).astype("<i4")
    kept = np.frombuffer(convert(quiet.tobytes(), InputFormat(bits=32, gain_db=60)), "<i2")
    assert np.max(np.abs(kept.astype(int) - loud)) <= 1
