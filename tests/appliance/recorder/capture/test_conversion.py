"""What goes into the ring of a card that is not plain mono of 16 bits: what was chosen, raised, rounded; never a mix
unasked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recorder.capture.conversion import Converter
from appliance.recorder.capture.input_format import InputFormat
from tests.support.box.writer import speech

FULL = 1 << 31
OFFSETS = (-0.11, -0.05, 0.03)
"""Constant parts of I2S microphones, as shares of full scale: SPH0645LM4H as publicly reported, and a mild one."""


def convert(data: bytes, input_format: InputFormat) -> bytes:
    return Converter(input_format, 48000).convert(data)


def blocks(samples: np.ndarray[tuple[int], np.dtype[np.float64]], gain_db: float) -> np.ndarray[tuple[int], Any]:
    """Convert samples of 16 bits and finer in blocks, as capture does."""
    converter = Converter(InputFormat(bits=32, gain_db=gain_db), 48000)
    wide = np.rint(samples * 65536).astype("<i4")
    parts = [converter.convert(wide[at : at + 4096].tobytes()) for at in range(0, wide.size, 4096)]
    return np.frombuffer(b"".join(parts), "<i2").astype(int)


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
    middle = sum(samples) / len(samples) / 65536
    for sample, kept in zip(samples, found, strict=True):
        true = middle + (sample / 65536 - middle) * 10 ** (gain_db / 20)
        assert kept == max(-32768, min(32767, kept))
        assert abs(max(-32768.0, min(32767.0, true)) - kept) <= 0.501


@given(st.lists(st.integers(-FULL, FULL - 1), min_size=1, max_size=50))
def test_without_a_gain_the_samples_are_what_the_microphone_gave_whatever_its_offset(samples: list[int]) -> None:
    found = of(convert(np.array(samples, "<i4").tobytes(), InputFormat(bits=32)))
    assert all(abs(kept - min(sample / 65536, 32767)) <= 0.5 for sample, kept in zip(samples, found, strict=True))


@pytest.mark.parametrize("offset", [0.0, *OFFSETS])
def test_quiet_speech_keeps_its_shape_on_any_offset_and_the_offset_is_not_raised(offset: float) -> None:
    loud, gain_db = speech(48000 * 3).astype(np.float64) / 3, 40.0
    kept = blocks(loud / 100 + offset * 32768, gain_db)
    assert np.abs(kept).max() < 32767, "nothing is cut off"
    settled = slice(48000, None)
    assert np.median(kept[settled] - loud[settled]) == pytest.approx(offset * 32768, abs=60)
    # the offset follows the mean of some blocks, which speech moves a little
    assert np.std(kept[settled] - loud[settled]) < 0.02 * np.std(loud)


@pytest.mark.parametrize("offset", OFFSETS)
def test_an_offset_that_wanders_makes_no_step_at_the_edge_of_a_block(offset: float) -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.3, 48000 * 4)
    warming = offset * 32768 * np.linspace(0.9, 1.0, noise.size)
    kept = blocks(noise + warming, 30.0)[48000:]
    edges = np.abs(np.diff(kept))[4095 - 48000 % 4096 :: 4096]
    assert edges.max() <= np.abs(np.diff(kept)).max() * 0.9 + 5


@pytest.mark.parametrize("gain_db", [0.0, 20.0])
def test_a_block_without_frames_spoils_none_that_follows(gain_db: float) -> None:
    converter = Converter(InputFormat(gain_db=gain_db), 48000)
    assert converter.convert(b"") == b""
    data = speech(1000).tobytes()
    assert converter.convert(data) == Converter(InputFormat(gain_db=gain_db), 48000).convert(data)


def test_quiet_speech_keeps_its_shape() -> None:
    loud = speech(48000)
    quiet = (loud.astype(np.float64) / 1000 * 65536).astype("<i4")
    kept = np.frombuffer(convert(quiet.tobytes(), InputFormat(bits=32, gain_db=60)), "<i2")
    assert np.max(np.abs(kept.astype(int) - loud - round(loud.mean() * -0.999))) <= 1
