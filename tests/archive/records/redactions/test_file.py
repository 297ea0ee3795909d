"""The derivative's file: what is written is read, whatever the pieces; what is damaged is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.encryption import Identity
from appliance.contract.errors import DigestError, FormatError
from archive.records.redactions.derivative_file import (
    FACTS,
    MANIFEST,
    DerivativeFacts,
    DerivativeReader,
    DerivativeWriter,
    piece_name,
)
from tests.support.spools import noise

KEY = Identity.generate()
RATE = 800


class Growing(io.BytesIO):
    """A sink that can only be appended to, as a draft of the store."""

    def seek(self, *_: int) -> int:
        raise OSError("a draft cannot be sought")


def written(frames: int) -> tuple[bytes, DerivativeFacts, str]:
    facts = DerivativeFacts("a" * 32, "b" * 32, RATE, frames)
    sink, samples = Growing(), noise(frames)
    writer = DerivativeWriter(sink, facts, KEY.recipient)
    for first in range(0, frames, facts.piece_frames):
        writer.add(samples[first : first + facts.piece_frames])
    manifest, _ = writer.finish()
    return sink.getvalue(), facts, manifest


MADE = {frames: written(frames) for frames in (1, 10 * RATE, 25 * RATE + 3)}


def reader(data: bytes, facts: DerivativeFacts, manifest: str) -> DerivativeReader:
    return DerivativeReader(io.BytesIO(data), facts, manifest, lambda: KEY)


@given(st.sampled_from(sorted(MADE)), st.integers(-5, 26 * RATE), st.integers(-5, 26 * RATE))
def test_any_part_is_read_as_it_was_written(frames: int, first: int, size: int) -> None:
    begin = min(max(first, 0), frames)
    expected = noise(frames)[begin : begin + max(size, 0)]
    assert np.array_equal(reader(*MADE[frames]).read(first, size), expected)


def test_a_piece_of_another_length_is_not_written() -> None:
    facts = DerivativeFacts("a" * 32, "b" * 32, RATE, 20 * RATE)
    with pytest.raises(FormatError, match="defect"):
        DerivativeWriter(Growing(), facts, KEY.recipient).add(noise(10 * RATE - 1))


def test_a_piece_in_another_s_place_is_refused() -> None:
    data, facts, manifest = MADE[25 * RATE + 3]
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members[piece_name(0)], members[piece_name(1)] = members[piece_name(1)], members[piece_name(0)]
    swapped = io.BytesIO()
    with zipfile.ZipFile(swapped, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(DigestError, match="not the one that was made"):
        reader(swapped.getvalue(), facts, manifest).read(0, 1)


def test_another_manifest_is_refused_and_so_is_what_is_no_zip_file() -> None:
    data, facts, manifest = MADE[1]
    with pytest.raises(DigestError, match="manifest"):
        reader(data, facts, "0" * 64)
    for broken in (b"", b"PK", data[: len(data) // 2]):
        with pytest.raises(FormatError, match="damaged"):
            reader(broken, facts, manifest)


def test_the_file_holds_pieces_facts_and_manifest_in_this_order() -> None:
    data, _, _ = MADE[25 * RATE + 3]
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.namelist() == [*map(piece_name, range(3)), FACTS, MANIFEST]
        assert file.testzip() is None
