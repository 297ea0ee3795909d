"""What a batch holds is bounded before anything of it is believed, by what the header promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.errors import TooLargeError
from appliance.contract.signed import digest
from archive.ingest import limits
from archive.ingest.batch import parse
from tests.support.spools import Keys, Recording, noise


@pytest.fixture
def made(tmp_path: Path) -> Recording:
    recording = Recording(tmp_path, Keys(), rate=8000, segment_frames=1000)
    recording.begin()
    return recording


def test_a_segment_may_be_as_long_as_the_header_says(made: Recording) -> None:
    made.segment(noise(1000, 1))
    items = parse(made.lines[-1] + made.segments[0], made.header)
    assert [item.encrypted for item in items] == [made.segments[0]]


def test_a_segment_of_the_most_bytes_that_the_header_allows_is_taken(made: Recording) -> None:
    data = b"s" * limits.segment(made.header)
    line = made.note(
        "segment", segment=0, first_frame=0, frames=1000, size=len(data), sha256=digest(data), captured_ns=made.now_ns
    )  # fmt: skip
    assert [item.encrypted for item in parse(line + data, made.header)] == [data]


@pytest.mark.parametrize(("more_frames", "more_bytes"), [(1, 0), (0, 1)])
def test_a_segment_of_more_frames_or_bytes_than_the_header_allows_is_refused_by_its_line(
    made: Recording, more_frames: int, more_bytes: int
) -> None:
    size = limits.segment(made.header) + more_bytes
    line = made.note(
        "segment", segment=0, first_frame=0, frames=1000 + more_frames, size=size, sha256="0" * 64,
        captured_ns=made.now_ns,
    )  # fmt: skip
    with pytest.raises(TooLargeError, match="at most 1000 frames"):
        parse(line, made.header)
