"""docs/format.md section 2.3: exact audio, and a size that tells duration and nothing else (promise 7)."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.errors import FormatError
from appliance.contract.segment import decode, encode, frames_inside, padded_size
from tests.support.spools import noise

RATE = 48000


def loudest(frames: int) -> np.ndarray:
    return np.where(np.arange(frames) % 2, 32767, -32768).astype(np.int16)


@settings(max_examples=60, deadline=None)
@given(
    frames=st.one_of(st.integers(1, 200), st.integers(1, 192_000)),
    kind=st.sampled_from(["silence", "noise", "loudest", "one click"]),
    rate=st.sampled_from([8000, 16000, 44100, 48000, 96000, 192000]),
)
def test_promise_7_every_plaintext_of_n_frames_has_the_same_size_and_comes_back_exact(
    frames: int, kind: str, rate: int
) -> None:
    click = np.zeros(frames, np.int16)
    click[frames // 2] = -32768
    full = np.random.default_rng(frames).integers(-32768, 32768, frames, dtype=np.int16)
    samples = {"silence": np.zeros(frames, np.int16), "noise": full, "loudest": loudest(frames), "one click": click}[
        kind
    ]
    stream = encode(samples, rate)
    assert len(stream) == padded_size(frames) == 4096 + 2 * frames
    assert frames_inside(stream) == frames
    assert np.array_equal(decode(stream, frames, rate), samples)


def test_promise_6_flac_opens_it_and_finds_its_md5(tmp_path: Path) -> None:
    samples = noise(RATE)
    path = tmp_path / "segment.flac"
    path.write_bytes(encode(samples, RATE))
    assert subprocess.run(["flac", "-s", "-t", str(path)], check=False, capture_output=True).returncode == 0
    raw = subprocess.run(
        ["flac", "-s", "-d", "--force-raw-format", "--endian=little", "--sign=signed", "-c", str(path)],
        check=True,
        capture_output=True,
    ).stdout
    assert np.array_equal(np.frombuffer(raw, "<i2"), samples)


def resized(stream: bytes, size: int) -> bytes:
    return stream[:size] + bytes(max(0, size - len(stream)))


def written(samples: np.ndarray, rate: int, frames: int, form: str = "FLAC", subtype: str = "PCM_16") -> bytes:
    """Somebody else's file, cut or filled to the size that a segment of `frames` frames has."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return resized(buffer.getvalue(), padded_size(frames))


SAMPLES = noise(1000)
STREAM = encode(SAMPLES, RATE)
MD5 = slice(26, 42)
HUGE = STREAM[:21] + bytes([STREAM[21] | 0x0F]) + b"\xff" * 4 + STREAM[26:]
"""The same stream, whose STREAMINFO claims 2^36 - 1 frames: 128 GiB."""


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (STREAM[:-1], "bytes inside"),
        (STREAM + b"\0", "bytes inside"),
        (b"", "bytes inside"),
        (bytes(len(STREAM)), "not a FLAC stream"),
        (encode(SAMPLES, 44100), "44100"),
        (written(SAMPLES[:900], RATE, 1000), "900"),
        (written(np.stack([SAMPLES[:400]] * 2, axis=1), RATE, 1000), "2, 48000"),
        (written(SAMPLES, RATE, 1000, subtype="PCM_24"), "PCM_24"),
        (written(SAMPLES, RATE, 1000, "WAV"), "WAV"),
        (HUGE, "68719476735"),
        (STREAM[: MD5.start] + bytes(16) + STREAM[MD5.stop :], "MD5"),
        (STREAM[: MD5.start] + bytes([STREAM[MD5.start] ^ 1]) + STREAM[MD5.start + 1 :], "MD5"),
    ],
)
def test_a_stream_that_is_not_exactly_the_promised_one_is_refused(stream: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode(stream, 1000, RATE)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_stream_gives_the_same_audio_or_none(data: st.DataObject) -> None:
    stream = bytearray(STREAM)
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        samples = decode(bytes(stream), 1000, RATE)
    except FormatError:
        return
    assert np.array_equal(samples, SAMPLES)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.int16), np.zeros((10, 2), np.int16), np.zeros(10, np.int32), np.zeros(10, np.float32)]
)
def test_what_is_not_mono_16_bit_audio_is_not_encoded(samples: np.ndarray) -> None:
    with pytest.raises(FormatError, match="16-bit"):
        encode(samples, RATE)
