"""The WAV file that is made up from spans is one file, byte for byte."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.segment import Samples
from archive.recordings.ranges import Span
from archive.recordings.wav import HEADER_SIZE, WavFile

RATE = 50
SAMPLES: Samples = np.random.default_rng(1).integers(-32768, 32767, 333, dtype=np.int16)
WAV = WavFile(SAMPLES.size, RATE)


def read(first: int, frames: int) -> Samples:
    return SAMPLES[first : first + frames]


WHOLE = b"".join(WAV.read(Span(0, WAV.size), read))


def test_the_whole_is_a_wav_file_with_these_samples() -> None:
    assert len(WHOLE) == WAV.size == HEADER_SIZE + 2 * SAMPLES.size
    samples, rate = soundfile.read(io.BytesIO(WHOLE), dtype="int16")
    assert rate == RATE
    assert np.array_equal(samples, SAMPLES)


@given(st.integers(0, WAV.size - 1), st.integers(1, WAV.size))
def test_any_span_equals_that_slice_of_the_whole(start: int, size: int) -> None:
    span = Span(start, min(start + size, WAV.size))
    assert b"".join(WAV.read(span, read)) == WHOLE[span.start : span.stop]


@given(st.integers(0, WAV.size - 1), st.integers(1, WAV.size))
def test_only_the_frames_of_the_span_are_asked_for(start: int, size: int) -> None:
    span = Span(start, min(start + size, WAV.size))
    asked: list[tuple[int, int]] = []

    def watched(first: int, frames: int) -> Samples:
        asked.append((first, frames))
        return read(first, frames)

    list(WAV.read(span, watched))
    low, high = WAV.frame_at(span.start), WAV.frame_at(span.stop - 1)
    assert all(low <= first and first + frames - 1 <= high for first, frames in asked)
    assert all(first // RATE == (first + frames - 1) // RATE for first, frames in asked)


def test_audio_that_ends_too_early_is_an_error_and_no_endless_loop() -> None:
    chunks = WavFile(100, RATE).read(Span(0, 244), lambda first, frames: read(first, frames)[: 60 - first])
    with pytest.raises(ValueError, match="ends before frame 60"):
        list(chunks)
