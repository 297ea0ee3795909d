"""A file is what its own bytes say, sound only, whatever its name or a browser says."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.records.outside_recordings.media import HEAD, MediaType, NotSoundError, claimed, examine

from .files import RATE, box, m4a, sound, track

REFUSED = {
    "an SVG picture": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "nothing": b"",
    "a PDF": b"%PDF-1.7 and so on, longer than sixteen",
    "an AVI film": b"RIFF\0\0\0\0AVI LIST",
    "AAC without a container": b"\xff\xf1\x50\x80" + bytes(20),
    "an ID3 tag before a page": b"ID3\x04\0\0\0\0\0\x05hello<html><script>alert(1)</script>",
    "a film": m4a(track(b"soun"), track(b"vide"), brand=b"isom"),
    "pictures alone": m4a(track(b"vide")),
    "no track": m4a(box(b"free")),
    "a box that is longer than its file": m4a()[:-1],
    "a WAV without a format": b"RIFF\0\0\0\0WAVEdata" + struct.pack("<I", 4) + bytes(4),
    "a WAV that is cut in its head": sound("WAV")[:30],
    "a FLAC that is cut in its head": sound("FLAC")[:20],
}


@pytest.mark.parametrize(
    ("kind", "type_", "seconds"),
    [("WAV", MediaType.WAV, 2.5), ("RF64", MediaType.WAV, None), ("FLAC", MediaType.FLAC, 2.5),
     ("MP3", MediaType.MP3, None)],
)  # fmt: skip
def test_each_kind_is_known_by_its_bytes(kind: str, type_: MediaType, seconds: float | None) -> None:
    found = examine(io.BytesIO(sound(kind, 2.5)))
    assert found.type == type_
    assert found.seconds == pytest.approx(seconds, abs=0.01) if seconds else found.seconds in {None, 2.5}


def test_an_m4a_of_sound_alone_is_taken_and_tells_its_length() -> None:
    assert examine(io.BytesIO(m4a())) == examine(io.BytesIO(m4a(track(b"soun"), track(b"text"))))
    assert examine(io.BytesIO(m4a())).seconds == 90


def test_an_id3_tag_of_any_size_stands_before_an_mp3() -> None:
    tag = b"ID3\x04\0\0" + bytes((0, 0, 3, 7)) + bytes(3 * 128 + 7)
    assert examine(io.BytesIO(tag + sound("MP3"))).type == MediaType.MP3


def test_a_wav_whose_recorder_was_cut_off_has_no_length() -> None:
    data = bytearray(sound("WAV"))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert examine(io.BytesIO(data)).seconds is None
    assert len(data) > RATE


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_sound_is_refused_and_says_so(what: str) -> None:
    with pytest.raises(NotSoundError):
        examine(io.BytesIO(REFUSED[what]))


@given(st.binary(max_size=200), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"fLaC", b"ID3", b"\0\0\0\x10ftypM4A "]))
def test_no_bytes_make_it_fail_otherwise(data: bytes, head: bytes) -> None:
    try:
        found = examine(io.BytesIO(head + data))
    except NotSoundError:
        return
    assert found.type == claimed((head + data)[:HEAD])
