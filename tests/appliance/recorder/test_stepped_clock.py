"""A wall clock that is put forward and back by hours in a meeting changes no duration, no order and no file name: the
real recorder, whose wall clock, and no other, is not the machine's (tests/support/clock)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from appliance.contract.chain import LedgerChecker
from appliance.contract.header import Header
from appliance.contract.signed import split_lines
from appliance.contract.times import parse_wall
from appliance.simulator.demo import outside_view
from tests.support.box.whole_box import SECOND, Box, kinds, whole_box
from tests.support.clock.shim import CannotError, ClockShim
from tests.support.waiting import until

HOUR = 3600 * SECOND


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[ClockShim]:
    try:
        made = ClockShim(tmp_path)
    except CannotError as error:
        pytest.skip(f"this machine cannot step a clock: {error}")
    yield made
    made.close()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with whole_box(tmp_path, tmp_path / "plugin") as box:
        yield box


def test_promise_5_a_clock_stepped_by_hours_is_entered_and_changes_nothing_else(box: Box, shim: ClockShim) -> None:
    box.environment = shim.environment
    box.start()
    recording = box.begin()
    folder = box.folder / "spool" / "recordings" / recording

    def stepped() -> list[int]:
        return [entry.step_ns for entry in box.ledger(recording) if entry.kind == "clock" and entry.step_ns]

    for count, hours in enumerate((3, -5), 1):
        shim.step(hours * HOUR)
        stepped_ns = time.monotonic_ns()
        until(lambda count=count: len(stepped()) == count, f"step {count} is entered")  # type: ignore[misc]
        found_ns = [entry.t_ns for entry in box.ledger(recording) if entry.kind == "clock"][-1]
        assert box.took_ns(f"step {count}: found", stepped_ns, found_ns) < 5 * SECOND
        safe = box.status()["acked_frame"]
        until(lambda safe=safe: box.status()["acked_frame"] > safe, "more is acknowledged")  # type: ignore[misc]
        assert (box.light("green"), box.status()["faults"]) == ("on", [])
    box.end()
    ended_ns = time.monotonic_ns()

    header_line = (folder / "header.tsv").read_bytes()
    header = Header.read(header_line, box.key.public)
    checker = LedgerChecker(header, header_line)
    for line in split_lines((folder / "ledger.tsv").read_bytes()):
        checker.check_line(line)
    assert checker.closing is not None
    assert (checker.closing.reason, checker.lost_frames) == ("button", 0)
    entries = box.ledger(recording)
    assert kinds(entries) == ["lamp", "audio", "clock", "clock", "audio", "lamp", "closing"]
    assert all(abs(found - true * HOUR) < SECOND // 10 for found, true in zip(stepped(), (3, -5), strict=True))
    # what the entries say about the wall clock holds: created, plus what passed, plus the steps, is every later time
    told = [(entry.t_ns, entry.at) for entry in entries if entry.kind == "clock"]
    for number, (t_ns, at) in enumerate([*told, (checker.closing.t_ns, checker.closing.ended_at)]):
        passed = timedelta(microseconds=(t_ns - header.created_ns + sum(stepped()[: number + 1])) / 1000)
        assert abs(parse_wall(at) - parse_wall(header.created_at) - passed) < timedelta(milliseconds=20)

    assert outside_view.lamp_covers_audio(box.log("panel"), box.log("microphone"), entries) == []
    names = sorted(path.name for path in (folder / "segments").iterdir())
    assert names == [f"{number:08d}.age" for number in range(checker.segments)]
    heard = np.concatenate(box.samples(recording))
    [start] = [line["position"] for line in box.log("microphone") if line.get("device") == "started"]
    raw = np.fromfile(box.folder / "spoken.raw", "<i2")
    assert np.array_equal(heard, np.take(raw, np.arange(start, start + heard.size), mode="wrap"))
    span = outside_view.open_spans(box.log("microphone"))[-1]
    assert span.end_ns is not None
    assert span.end_ns < ended_ns
    longer_ns = span.end_ns - span.start_ns - heard.size * SECOND // 48000
    late_ns = box.machine.late_ns(span.start_ns, span.end_ns)
    assert 0 <= longer_ns < SECOND // 2 + late_ns, "as long as the microphone was open"
