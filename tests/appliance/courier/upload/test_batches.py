"""Batches: up to ten segments, each at once after its line; nothing but the spool's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.errors import FormatError
from appliance.contract.signed import MAX_LINE
from appliance.courier.upload.batches import BatchReader
from tests.support.box.courier import Box
from tests.support.spools import Recording


@pytest.fixture
def recording(box: Box) -> Recording:
    return box.record(seconds=23, rate=8000, segment_frames=1000)


def expected(recording: Recording, first: int, last: int) -> bytes:
    parts: list[bytes] = []
    for number in range(first, last):
        parts.append(recording.lines[number])
        if b'"kind":"segment"' in recording.lines[number]:
            parts.append(recording.segments[number - 2])
    return b"".join(parts)


def test_a_batch_holds_ten_segments_and_the_lines_between(recording: Recording) -> None:
    reader = BatchReader(recording.folder)
    lines, spans = 0, []
    while (batch := reader.read_batch(lines, None)).lines:
        assert batch.body == expected(recording, batch.first, batch.next_line)
        spans.append((batch.first, batch.next_line))
        lines = batch.next_line
    assert spans == [(0, 12), (12, 22), (22, 28)]
    assert reader.read_batch(lines, None).lines == 0


def test_the_archive_may_ask_for_any_line_again(recording: Recording) -> None:
    reader = BatchReader(recording.folder)
    for first in (20, 3, 27, 0, 12, 12):
        batch = reader.read_batch(first, None)
        assert batch.body == expected(recording, first, batch.next_line)
    assert reader.read_batch(999, None).lines == 0


def test_a_limit_is_kept(recording: Recording) -> None:
    assert BatchReader(recording.folder).read_batch(0, 4).body == expected(recording, 0, 4)
    assert BatchReader(recording.folder).read_batch(4, 4).lines == 0
    assert BatchReader(recording.folder).read_batch(9, 4).lines == 0


def test_lines_alone_fill_a_batch_up_to_a_megabyte(box: Box) -> None:
    recording = Recording(box.spool, box.keys)
    for number in range(4000):
        recording.note("drift", frame=number, ppb=number)
    batch = BatchReader(recording.folder).read_batch(0, None)
    assert 0 < batch.lines < 4000
    assert len(batch.body) < (1 << 20) + 1000


def test_a_segment_of_another_size_is_named_and_not_sent(recording: Recording) -> None:
    path = recording.folder / "segments" / "00000004.age"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="segment 4"):
        BatchReader(recording.folder).read_batch(0, None)


def test_a_link_in_the_spool_leads_nowhere(recording: Recording) -> None:
    # else a subverted recorder could make the courier send its own TLS key away
    secret = recording.spool / "secret"
    secret.write_bytes(recording.segments[1])
    path = recording.folder / "segments" / "00000001.age"
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        BatchReader(recording.folder).read_batch(0, None)


def test_a_line_without_end_is_an_error(recording: Recording) -> None:
    (recording.folder / "ledger.tsv").write_bytes(b"x" * (MAX_LINE + 1))
    with pytest.raises(FormatError, match="longer"):
        BatchReader(recording.folder).read_batch(0, None)


def test_a_line_of_the_greatest_length_is_sent_and_a_longer_one_is_an_error(recording: Recording) -> None:
    ledger = recording.folder / "ledger.tsv"
    before, after = b'{"kind":"news","about":"', b'"}\t' + b"A" * 86 + b"==\n"
    longest = before + b"x" * (MAX_LINE - len(before) - len(after)) + after
    ledger.write_bytes(longest)
    assert BatchReader(recording.folder).read_batch(0, None).body == longest
    ledger.write_bytes(before + b"x" + longest.removeprefix(before))
    with pytest.raises(FormatError, match="longer"):
        BatchReader(recording.folder).read_batch(0, None)


def test_a_kind_that_this_courier_does_not_know_is_sent_all_the_same(recording: Recording) -> None:
    line = recording.lines[0].replace(b'"kind":"lamp"', b'"kind":"news"')
    (recording.folder / "ledger.tsv").write_bytes(line)
    assert BatchReader(recording.folder).read_batch(0, None).body == line


@pytest.mark.parametrize("number", [-1, 100_000_000])
def test_a_number_that_no_segment_has_is_no_file_name(tmp_path: Path, number: int) -> None:
    with pytest.raises(FormatError, match="no segment's number"):
        BatchReader(tmp_path).tail(number)


def test_the_greatest_number_of_a_segment_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="99999999"):
        BatchReader(tmp_path).tail(99_999_999)


@pytest.mark.parametrize("wrong", [b'"segment":"4",', b'"segment":null,'])
def test_a_segment_line_that_names_no_segment_is_told_and_not_sent(recording: Recording, wrong: bytes) -> None:
    ledger = recording.folder / "ledger.tsv"
    ledger.write_bytes(ledger.read_bytes().replace(b'"segment":4,', wrong))
    with pytest.raises(FormatError, match="names no segment"):
        BatchReader(recording.folder).read_batch(0, None)
