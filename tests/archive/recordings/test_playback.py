"""Listening: only after the seal, exactly what was recorded, and nothing once the key is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.encryption import encrypt
from appliance.contract.errors import DecryptionError, DigestError, NotSealedError
from appliance.contract.segment import decode, encode
from appliance.contract.signed import digest
from archive.recordings import playback
from archive.recordings.audio_index import AudioIndex, Part, packed, unpacked
from archive.recordings.models import PackageIndex, Recording, StoredArrival
from archive.recordings.playback import open_audio
from archive.sealing.seal import seal
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.packages import rebuilt, taken_apart
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


def test_overlapping_ranges_decode_a_segment_once_and_few_are_remembered(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []

    def counting(plain: bytes, frames: int, rate: int) -> Any:
        decoded.append(frames)
        return decode(plain, frames, rate)

    monkeypatch.setattr(playback, "decode", counting)
    source = open_audio(Recording.objects.get())
    for first in range(0, 48000, 8000):
        source.read(first, 8000)
    assert decoded == [48000]
    source.read(0, made.frames)
    assert len(decoded) == len(made.segments) > playback.REMEMBERED
    source.read(0, 1)
    assert len(decoded) == len(made.segments) + 1, "the first had to go"


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
    place = open_audio(row).index.covering(48000, 48001)[0].offset
    path = archive.home / "store" / row.package
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(place + 100)
        file.write(b"\0\0\0\0")
    source = open_audio(row)
    assert np.array_equal(source.read(0, 48000), made.samples[:48000])
    with pytest.raises(DigestError, match="segment 1"):
        source.read(48000, 1)


def test_a_swapped_segment_of_equal_size_is_told_although_it_opens(archive: Archive, made: Made) -> None:
    """Whoever knows the recording's recipient, which is public, can encrypt other audio to it."""
    row = Recording.objects.get()
    source = open_audio(row)
    (part,) = source.index.covering(48000, 48001)
    recipient = row.signed_header.recipient
    # age adds a stanza of random length, so a forger tries until the size fits
    forged = next(
        data
        for data in (encrypt(encode(noise(part.frames, seed=99), row.rate), [recipient]) for _ in range(5000))
        if len(data) == part.size
    )
    path = archive.home / "store" / row.package
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(part.offset)
        file.write(forged)
    with pytest.raises(DigestError, match="segment 1"):
        open_audio(row).read(48000, 48000)


def test_a_lost_index_is_made_again_from_the_package(made: Made) -> None:
    row = Recording.objects.get()
    before = PackageIndex.objects.values().get()
    PackageIndex.objects.all().delete()
    assert np.array_equal(open_audio(row).read(0, made.frames), made.samples)
    assert PackageIndex.objects.values().get() == before


def test_a_package_with_another_ledger_makes_no_index(archive: Archive, made: Made) -> None:
    """A ZIP that is whole, with a ledger that the box signed, and that is not the one that the receipt names."""
    row = Recording.objects.get()
    PackageIndex.objects.all().delete()
    path = archive.home / "store" / row.package
    path.chmod(0o600)
    parts = dict(taken_apart(path.read_bytes()))
    parts["data/ledger.tsv"] = b"".join(made.lines[:-1])
    path.write_bytes(rebuilt(made.id, parts.items()))
    with pytest.raises(DigestError, match="not the one that the receipt names"):
        open_audio(row)
    assert not PackageIndex.objects.exists()


def test_a_package_with_another_manifest_plays_nothing(archive: Archive, made: Made) -> None:
    row = Recording.objects.get()
    path = archive.home / "store" / row.package
    path.chmod(0o600)
    parts = dict(taken_apart(path.read_bytes()))
    manifest = parts["manifest-sha256.txt"]
    parts["manifest-sha256.txt"] = manifest.replace(digest(made.segments[0]).encode(), b"0" * 64)
    assert parts["manifest-sha256.txt"] != manifest
    path.write_bytes(rebuilt(made.id, parts.items()))
    with pytest.raises(DigestError, match="not the one that the receipt names"):
        open_audio(row).read(0, 10)


def test_a_sealed_recording_has_one_index_and_no_other_row_of_its_segments(made: Made) -> None:
    assert not StoredArrival.objects.exists()
    index = PackageIndex.objects.get()
    assert list(unpacked(bytes(index.sizes))) == [len(data) for data in made.segments]
    assert len(index.short) == 8 * 2, "two segments are shorter than a second"


@given(st.lists(st.integers(1, 2**32 - 1), max_size=50))
def test_sizes_of_any_kind_are_what_they_were_after_packing(sizes: list[int]) -> None:
    assert list(unpacked(packed(sizes))) == sizes


def test_the_sizes_of_an_hour_of_segments_take_little_more_than_a_byte_each() -> None:
    random = np.random.default_rng(7)
    sizes = 100_300 + random.integers(0, 300, 3600)
    assert len(packed(sizes.tolist())) < 1.5 * sizes.size


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(100, 200)), min_size=1, max_size=40), st.data())
def test_the_segments_that_cover_a_range_are_exactly_those_that_touch_it(
    shape: list[tuple[int, int]], data: st.DataObject
) -> None:
    frames = np.array([one for one, _ in shape], np.int64)
    sizes = np.array([size for _, size in shape], np.int64)
    index = AudioIndex(1000, 89, sizes, frames)
    total = int(frames.sum())
    first = data.draw(st.integers(0, total - 1))
    last = data.draw(st.integers(first + 1, total))
    expected, at, offset = [], 0, 1000
    for number, (length, size) in enumerate(shape):
        offset += 89
        if at < last and at + length > first:
            expected.append(Part(number, at, length, offset, size))
        at, offset = at + length, offset + size
    assert index.covering(first, last) == expected
