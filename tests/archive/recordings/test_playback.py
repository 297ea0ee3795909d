"""Listening: only after the seal, exactly what was recorded, and nothing once the key is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract.errors import DecryptionError, DigestError, NotSealedError
from archive.recordings.models import Recording, Segment
from archive.recordings.playback import open_audio
from archive.sealing.seal import seal
from tests.support.archives import Archive, send
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording, noise


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A sealed recording whose segments differ in length."""
    recording = make_recording(tmp_path / "spool", archive.keys, seconds=2, reason=None)
    recording.segment(noise(700, seed=5))
    recording.segment()
    recording.segment(noise(1, seed=6))
    recording.close()
    send(client, recording)
    seal(recording.id)
    return recording


def test_every_sample_is_the_microphones(made: Made) -> None:
    source = open_audio(Recording.objects.get())
    assert (source.rate, source.frames) == (48000, made.frames)
    assert np.array_equal(source.read(0, made.frames), made.samples)


@pytest.mark.parametrize(
    ("first", "frames"),
    [(0, 1), (47999, 2), (48000, 48000), (95990, 800), (96000, 700), (96700, 10**9), (144700, 5), (10**9, 5), (5, 0)],
)
def test_any_range_is_exact(made: Made, first: int, frames: int) -> None:
    audio = open_audio(Recording.objects.get()).read(first, frames)
    assert audio.dtype == np.int16
    assert np.array_equal(audio, made.samples[first : first + frames])


def test_nobody_listens_before_the_seal(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=1)
    send(client, recording)
    with pytest.raises(NotSealedError):
        open_audio(Recording.objects.get())


def test_nobody_listens_once_the_key_is_destroyed(archive: Archive, made: Made) -> None:
    source = open_audio(Recording.objects.get())
    source.read(0, 10)
    (archive.home / "recording-keys" / f"{made.id}.age").unlink()
    with pytest.raises(DecryptionError, match="nobody can listen"):
        source.read(100_000, 10)


def test_a_damaged_segment_is_told_and_not_played(archive: Archive, made: Made) -> None:
    row = Recording.objects.get()
    place = Segment.objects.get(number=1).offset
    assert place is not None
    path = archive.home / "store" / row.package
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(place + 100)
        file.write(b"\0\0\0\0")
    source = open_audio(row)
    assert np.array_equal(source.read(0, 48000), made.samples[:48000])
    with pytest.raises(DigestError, match="segment 1"):
        source.read(48000, 1)
