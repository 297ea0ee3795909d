"""The recorder's word is repeated for two seconds and within its boot; then it is silent (docs/architecture.md)."""

from __future__ import annotations

import time

import pytest

from appliance.contract.status import STALE_NS, SilentStatus
from appliance.contract.times import boot_id
from appliance.courier.status_reader import StatusReader
from tests.support.box.courier import Box


@pytest.fixture
def reader(box: Box) -> StatusReader:
    return StatusReader(box.root / "run", box.keys.box)


def test_a_fresh_word_is_repeated_as_it_is(box: Box, reader: StatusReader) -> None:
    said = box.say(state="idle", faults=["clock"])
    assert reader.read() == said
    assert reader.active() == said


@pytest.mark.parametrize(("age_ns", "is_fresh"), [(0, True), (STALE_NS, True), (STALE_NS + 1, False), (-1, False)])
def test_freshness_ends_after_exactly_two_seconds(box: Box, age_ns: int, is_fresh: bool) -> None:
    said = box.say()
    assert said.fresh(boot_id(), said.monotonic_ns + age_ns) is is_fresh


def test_a_stale_word_is_silence_that_tells_when_the_last_one_came(box: Box, reader: StatusReader) -> None:
    said = box.say(monotonic_ns=time.monotonic_ns() - 3_000_000_000)
    assert reader.read() == SilentStatus(box=box.keys.box, last_monotonic_ns=said.monotonic_ns)
    assert reader.active() is None


def test_a_word_of_another_boot_or_box_is_silence(box: Box, reader: StatusReader) -> None:
    for members in ({"boot_id": "0-another-boot"}, {"box": "box-another"}):
        box.say(**members)
        assert reader.read() == SilentStatus(box=box.keys.box, last_monotonic_ns=None)


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"state": "idle"}', b"\xff", b"{}" * 100_000])
def test_a_missing_or_broken_file_is_silence(box: Box, reader: StatusReader, content: bytes | None) -> None:
    if content is not None:
        (box.root / "run" / "status.json").write_bytes(content)
    assert reader.read() == SilentStatus(box=box.keys.box, last_monotonic_ns=None)


def test_a_changed_file_is_noticed_even_if_it_has_the_same_size(box: Box, reader: StatusReader) -> None:
    box.say(acked_line=1)
    first = reader.active()
    assert first is not None
    box.say(acked_line=2, monotonic_ns=first.monotonic_ns)
    second = reader.active()
    assert second is not None
    assert (first.acked_line, second.acked_line) == (1, 2)
