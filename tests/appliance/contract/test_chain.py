"""Promises 1 and 5: a ledger is accepted line by line, and only if every line may stand where it stands."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields
from operator import methodcaller as do
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract import chain
from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import FormatError, OrderError, SignatureError
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import Entry
from appliance.contract.segment import padded_size
from appliance.contract.signed import digest
from tests.support.spools import CLOCK, Keys, Recording, make_recording

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}
MS = 1_000_000
START = 5_000_000_000_000
KEYS = Keys()


class Ledger:
    """A ledger that anything can be fed to, signed by the box."""

    def __init__(self, spool: Path, lamp: Literal["verified", "unverified"] = "unverified") -> None:
        made = Recording(spool, KEYS, **SHORT)
        self.header = made.header.model_copy(update={"lamp": lamp})
        self.line = self.header.sign(KEYS.box_signing)
        self.checker = LedgerChecker(self.header, self.line)

    def make(self, kind: str, key: SigningKey = KEYS.box_signing, **members: Any) -> bytes:
        own = {"recording": self.header.recording, "n": self.checker.lines, "prev": self.checker.prev, "t_ns": START}
        return Entry.from_members({**own, "kind": kind, **members}).sign(key)

    def add_line(self, kind: str, **members: Any) -> None:
        self.checker.check_line(self.make(kind, **members))

    def lit(self, at: int = 0, seen: int | None = None) -> None:
        seen_ns = None if seen is None else START + seen * MS
        self.add_line("lamp", lit=True, commanded_ns=START + at * MS, seen_ns=seen_ns)

    def dark(self, at: int) -> None:
        self.add_line("lamp", lit=False, commanded_ns=START + at * MS, seen_ns=None)

    def opened(self, at: int = 1, generation: int = 1) -> None:
        self.add_line("audio", open=True, at_ns=START + at * MS, generation=generation)

    def closed(self, at: int, generation: int = 1) -> None:
        self.add_line("audio", open=False, at_ns=START + at * MS, generation=generation)

    def segment(self, at: int, frames: int = 1000, **other: Any) -> None:
        members: dict[str, Any] = {
            "segment": self.checker.segments,
            "first_frame": self.checker.frames,
            "frames": frames,
            "size": padded_size(frames) + 250,
            "sha256": "ab" * 32,
            "captured_ns": START + at * MS,
        }
        self.add_line("segment", **{**members, **other})

    def gap(self, first: int, frames: int) -> None:
        self.add_line("gap", first_frame=first, frames=frames, cause="stall")

    def closing(self, reason: str = "button", **other: Any) -> None:
        checker = self.checker
        members: dict[str, Any] = {
            "reason": reason,
            "frames": checker.frames,
            "segments": checker.segments,
            "lost_frames": checker.lost_frames,
            "ended_at": "2026-11-24T10:00:00.000Z",
            "clock": CLOCK.model_dump(),
            "unverified_tail": [],
        }
        self.add_line("closing", **{**members, **other})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
def running(ledger: Ledger) -> Ledger:
    """Lit at 0 ms, open at 1 ms, one segment at 150 ms."""
    ledger.lit()
    ledger.opened()
    ledger.segment(150)
    return ledger


def test_a_whole_meeting_with_a_pause_and_a_lost_capture_is_accepted(running: Ledger) -> None:
    running.closed(160)
    running.dark(170)
    running.add_line("pause", frame=1000, paused=True)
    running.segment(155, frames=40)  # written late, captured in time
    running.lit(5000)
    running.add_line("pause", frame=1040, paused=False)
    running.opened(5001, generation=2)
    running.segment(5150)
    running.closed(5200, generation=2)
    running.add_line("fault", code="microphone-stalled", raised=True)
    running.opened(5300, generation=4)
    running.gap(2040, 800)
    running.segment(5400)
    running.add_line("drift", frame=3040, ppb=-1200)
    running.add_line("clock", at="2026-11-24T10:00:00.000Z", step_ns=-7, clock=CLOCK.model_dump())
    running.add_line("warning", code="cap", in_s=60)
    running.closed(5500, generation=4)
    running.dark(5501)
    running.closing()
    checker = running.checker
    assert (checker.lines, checker.segments, checker.frames, checker.lost_frames) == (22, 4, 3040, 800)
    assert checker.closing is not None


def test_every_line_says_what_it_is_when_fed(ledger: Ledger) -> None:
    line = ledger.make("lamp", lit=True, commanded_ns=START, seen_ns=None)
    assert ledger.checker.check_line(line).fact.kind == "lamp"


Steps = tuple[Callable[[Ledger], None], ...]
"""Calls of a ledger's methods; the last one must be refused."""


def refused(ledger: Ledger, steps: Steps) -> FormatError:
    for step in steps[:-1]:
        step(ledger)
    with pytest.raises(FormatError) as caught:
        steps[-1](ledger)
    assert caught.value.message.startswith(f"ledger line {ledger.checker.lines}: ")
    return caught.value


PROMISE_1: dict[str, Steps] = {
    "opened while the lamp was dark": (do("opened"),),
    "opened before the lamp": (do("lit", 10), do("opened", 9)),
    "dark while open": (do("lit"), do("opened"), do("dark", 50)),
    "dark before it was closed": (do("lit"), do("opened"), do("closed", 60), do("dark", 50)),
    "opened again in the dark": (do("lit"), do("dark", 5), do("opened", 6)),
    "lit before it went dark": (do("lit"), do("dark", 50), do("lit", 40)),
    "frames without a device": (do("lit"), do("segment", 5)),
    "frames from before the opening": (do("lit"), do("opened", 10), do("segment", 9)),
    "frames from after the closing": (do("lit"), do("opened"), do("closed", 50), do("segment", 51)),
    "frames from a pause": (
        *(do("lit"), do("opened"), do("closed", 50), do("dark", 60), do("lit", 90), do("opened", 91, 2)),
        do("segment", 70),
    ),
    "closed before frames arrived": (do("lit"), do("opened"), do("segment", 50), do("closed", 40)),
    "closed before it was opened": (do("lit"), do("opened", 5), do("closed", 4)),
    "opened before the last closing": (do("lit"), do("opened"), do("closed", 50), do("opened", 40, 2)),
}


@pytest.mark.parametrize("steps", PROMISE_1.values(), ids=PROMISE_1.keys())
def test_promise_1_no_ledger_may_say_that_the_microphone_was_open_in_the_dark(ledger: Ledger, steps: Steps) -> None:
    refused(ledger, steps)


def test_promise_1_where_a_sensor_is_wired_lit_means_seen(tmp_path: Path) -> None:
    unseen, late, good = (Ledger(tmp_path, "verified") for _ in range(3))
    unseen.lit()
    with pytest.raises(FormatError, match="seen to be lit"):
        unseen.opened(5)
    late.lit(0, seen=6)
    with pytest.raises(FormatError, match="seen to be lit"):
        late.opened(5)
    good.lit(0, seen=4)
    good.opened(5)


def part(number: int) -> dict[str, Any]:
    return {"segment": number, "size": 6000, "sha256": "cd" * 32}


WRONG: dict[str, tuple[str, Steps]] = {
    "lit twice": ("lit", (do("lit", 200),)),
    "dark twice": ("lit", (do("closed", 200), do("dark", 201), do("dark", 202))),
    "opened twice": ("open", (do("opened", 200, 2),)),
    "closed twice": ("open", (do("closed", 200), do("closed", 201))),
    "an old capture": ("generation", (do("closed", 200), do("opened", 201, 1))),
    "another capture's end": ("generation", (do("closed", 200, 2),)),
    "a segment missing": ("segment", (do("segment", 200, segment=2),)),
    "a segment again": ("segment", (do("segment", 200, segment=0),)),
    "frames missing": ("first_frame", (do("segment", 200, first_frame=1001),)),
    "frames again": ("first_frame", (do("segment", 200, first_frame=999),)),
    "a segment too long": ("frames", (do("segment", 200, frames=1001),)),
    "a file too small": ("size", (do("segment", 200, size=padded_size(1000)),)),
    "a file too large": ("size", (do("segment", 200, size=padded_size(1000) + 9000),)),
    "gaps that overlap": ("first_frame", (do("gap", 0, 100), do("gap", 99, 1))),
    "fewer frames at the end": ("frames", (do("closing", "interrupted", frames=999),)),
    "fewer segments at the end": ("frames", (do("closing", "interrupted", segments=0),)),
    "loss left out": ("frames", (do("gap", 0, 100), do("closing", "interrupted", lost_frames=0))),
    "ended with the microphone on": ("reason", (do("closing"),)),
    "ended with the lamp on": ("reason", (do("closed", 200), do("closing"))),
    "a gap behind the end": ("frames", (do("gap", 900, 101), do("closed", 200), do("dark", 201), do("closing"))),
    "a pause behind the end": (
        "frames",
        (do("add_line", "pause", frame=1001, paused=True), do("closed", 200), do("dark", 201), do("closing")),
    ),
    "a tail of a whole recording": (
        "unverified_tail",
        (do("closed", 200), do("dark", 201), do("closing", unverified_tail=[part(1)])),
    ),
    "a tail that is signed for": ("unverified_tail", (do("closing", "interrupted", unverified_tail=[part(0)]),)),
    "a tail that names a segment twice": (
        "unverified_tail",
        (do("closing", "interrupted", unverified_tail=[part(1), part(1)]),),
    ),
    "a tail out of order": ("unverified_tail", (do("closing", "interrupted", unverified_tail=[part(2), part(1)]),)),
    "something after the end": ("kind", (do("closing", "interrupted"), do("dark", 300))),
}


@pytest.mark.parametrize(("field", "steps"), WRONG.values(), ids=WRONG.keys())
def test_promise_5_what_contradicts_the_lines_before_it_is_refused(running: Ledger, field: str, steps: Steps) -> None:
    assert refused(running, steps).field == field


def test_an_interruption_may_leave_everything_open(running: Ledger) -> None:
    running.gap(900, 500)
    running.closing("interrupted", unverified_tail=[part(1), part(3)])
    assert running.checker.closing is not None


def test_a_line_that_another_key_signed_is_refused(ledger: Ledger) -> None:
    line = ledger.make("lamp", key=SigningKey.generate(), lit=True, commanded_ns=START, seen_ns=None)
    with pytest.raises(SignatureError, match="ledger line 0"):
        ledger.checker.check_line(line)


@pytest.mark.parametrize(
    ("members", "field"),
    [({"recording": "0" * 32}, "recording"), ({"n": 1}, "n"), ({"prev": "0" * 64}, "prev")],
)
def test_a_line_from_elsewhere_is_refused(ledger: Ledger, members: dict[str, Any], field: str) -> None:
    with pytest.raises(OrderError) as caught:
        ledger.add_line("fault", code="disk-low", raised=True, **members)
    assert caught.value.field == field


def test_the_first_line_follows_on_the_header(ledger: Ledger) -> None:
    assert ledger.checker.prev == digest(ledger.line)


def test_a_refused_line_changes_nothing(running: Ledger) -> None:
    before = copy.deepcopy(running.checker)
    for step in (do("segment", 200, segment=7), do("closing"), do("lit")):
        with pytest.raises(FormatError):
            step(running)
        assert running.checker == before


def test_a_checker_can_be_put_away_and_taken_out_again(tmp_path: Path) -> None:
    made = make_recording(tmp_path, KEYS, **SHORT)
    checker = LedgerChecker(made.header, made.header_line)
    for line in made.lines:
        stored = pickle.dumps(checker)
        assert len(stored) < 8192
        checker = pickle.loads(stored)
        checker.check_line(line)
    assert checker.closing is not None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    made = Recording(tmp_path_factory.mktemp("spool"), KEYS, **SHORT)
    made.begin()
    made.segment()
    made.gap(10)
    made.segment(np.zeros(10, np.int16))
    made.close()
    return made


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_promise_5_lines_left_out_repeated_or_swapped_never_pass(made: Recording, data: st.DataObject) -> None:
    order = data.draw(st.lists(st.integers(0, len(made.lines) - 1), max_size=len(made.lines) + 2))
    honest = order == list(range(len(order)))
    checker = LedgerChecker(made.header, made.header_line)
    try:
        for number in order:
            checker.check_line(made.lines[number])
    except OrderError:
        assert not honest
    else:
        assert honest


def test_what_happens_in_the_same_nanosecond_is_in_order(ledger: Ledger) -> None:
    ledger.lit(0)
    ledger.opened(0)
    ledger.segment(0)
    ledger.segment(5)
    ledger.closed(5)
    ledger.dark(5)
    ledger.lit(5)
    ledger.opened(5, generation=2)
    ledger.closed(5, generation=2)
    ledger.dark(5)
    ledger.closing()
    assert ledger.checker.segments == 2


def test_the_last_frames_of_a_capture_may_be_written_in_the_next(ledger: Ledger) -> None:
    ledger.lit(0)
    ledger.opened(0)
    ledger.closed(5)
    ledger.opened(6, generation=2)
    ledger.segment(5)
    assert ledger.checker.segments == 1
    with pytest.raises(FormatError, match="captured while no device was open"):
        ledger.segment(0, captured_ns=START + 5 * MS + 1)


def test_a_lamp_or_microphone_that_is_switched_twice_is_told_as_it_was(ledger: Ledger) -> None:
    with pytest.raises(OrderError, match="the lamp was dark already"):
        ledger.dark(0)
    with pytest.raises(OrderError, match="the microphone was closed already"):
        ledger.closed(0)
    ledger.lit(0)
    with pytest.raises(OrderError, match="the lamp was lit already"):
        ledger.lit(0)
    ledger.opened(0)
    with pytest.raises(OrderError, match="the microphone was open already"):
        ledger.opened(0, generation=2)


def test_a_lamp_that_is_seen_in_the_nanosecond_of_the_opening_is_in_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "verified")
    ledger.lit(0, seen=1)
    ledger.opened(1)
    assert ledger.checker.lines == 2


def test_a_gap_may_reach_to_the_last_frame_and_the_next_may_follow_on_it(running: Ledger) -> None:
    running.gap(1000, 200)
    running.gap(1200, 800)
    running.segment(300)
    running.closed(301)
    running.dark(302)
    running.closing()
    assert running.checker.lost_frames == 1000


@pytest.mark.parametrize(("more", "fits"), [(0, False), (1, True), (8192, True), (8193, False)])
def test_an_encrypted_segment_is_larger_than_its_audio_by_1_to_8192_bytes(
    running: Ledger, more: int, fits: bool
) -> None:
    size = padded_size(1000) + more
    if fits:
        running.segment(300, size=size)
        assert running.checker.segments == 2
    else:
        with pytest.raises(FormatError, match="cannot have"):
            running.segment(300, size=size)


def test_a_checker_that_was_put_away_at_any_line_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    made = make_recording(tmp_path, KEYS, seconds=4)
    whole = LedgerChecker(made.header, made.header_line)
    for line in made.lines:
        resumed = LedgerChecker.resume(made.header, made.header_line, whole.snapshot())
        assert resumed == whole
        whole.check_line(line)
        resumed.check_line(line)
        assert resumed == whole


def test_a_snapshot_leaves_nothing_out_but_what_ends_a_ledger() -> None:
    names = {field.name for field in fields(LedgerChecker)}
    assert names - set(chain._STATE) == {"header", "header_line", "closing"}
