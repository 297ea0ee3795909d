"""Uploads: in order, during the meeting, nothing finished twice, nothing beyond what is acknowledged."""

from __future__ import annotations

import time
from functools import partial

import pytest

from appliance.contract.receipt import Receipt
from appliance.contract.signed import split_lines
from appliance.contract.status import UploadState
from tests.support.box.courier import Box, Courier
from tests.support.fake_archive import assert_arrived, lines_sent
from tests.support.spools import Recording
from tests.support.waiting import until


def test_a_finished_recording_arrives_whole_and_its_receipt_lies_in_the_inbox(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=23, rate=8000, segment_frames=1000)
    courier.send(recording)
    assert_arrived(courier.archive, recording)
    assert [request.what for request in courier.archive.history] == [
        *["state", "header", "key", "state"],
        *["lines", "lines", "lines"],
        "receipt",
    ]
    laid = courier.receipt(recording)
    assert Receipt.read(laid.read_bytes(), box.keys.archive_signing.public).recording == recording.id
    assert laid.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in box.inbox.iterdir()] == [laid.name]
    assert courier.events == [("sealed", recording.id)]
    done = courier.progress.recordings[recording.id]
    assert (done.state, done.lines, done.frames) == ("sealed", len(recording.lines), recording.frames)


def test_nothing_finished_is_sent_twice_however_often_the_courier_restarts(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=35, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording

    def restart() -> None:
        courier.start()
        courier.passes(3)

    until(courier.receipt(recording).exists, "the receipt", pause=restart)
    courier.start()
    before = len(courier.archive.history)
    courier.passes(5)
    assert all(request.recording != recording.id for request in courier.archive.history[before:])
    assert_arrived(courier.archive, recording)
    assert lines_sent(courier.archive, recording) == recording.lines
    assert [request.what for request in courier.archive.requests("header")] == ["header"]


def test_a_meeting_is_uploaded_while_it_runs_but_never_beyond_what_is_acknowledged(box: Box, courier: Courier) -> None:
    recording = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    recording.begin()
    courier.archive.recordings[recording.id] = recording
    box.recording_until(recording, 0)
    courier.passes(5)
    assert recording.id not in courier.archive.kept

    def kept(lines: int) -> bool:
        return len(courier.archive.kept.get(recording.id, recording).lines) >= lines

    for _ in range(6):
        recording.segment()
        acked = len(recording.lines) - 1
        box.recording_until(recording, acked)
        courier.until(partial(kept, acked))
        courier.passes(3)
        assert len(courier.archive.kept[recording.id].lines) == acked
    recording.close()
    box.say()
    courier.until(courier.receipt(recording).exists)
    assert_arrived(courier.archive, recording)
    assert lines_sent(courier.archive, recording) == recording.lines


def test_what_lies_still_costs_the_archive_nothing(box: Box, courier: Courier) -> None:
    recording = box.record(reason=None)
    box.recording_until(recording, 3)
    courier.until(lambda: recording.id in courier.archive.kept and len(courier.archive.kept[recording.id].lines) == 3)
    before = len(courier.archive.history)
    for _ in range(20):
        box.recording_until(recording, 3)
        courier.uploader.run_pass()
    assert [request for request in courier.archive.history[before:] if request.recording == recording.id] == []


def test_an_interrupted_recording_brings_its_unverified_tail(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=2, reason="interrupted", tail=3)
    courier.send(recording)
    assert_arrived(courier.archive, recording)
    assert courier.archive.kept[recording.id].tail == recording.tail


def test_a_pass_that_moved_something_is_followed_at_once_and_one_that_did_not_is_not(
    box: Box, courier: Courier
) -> None:
    recording = box.record(seconds=35, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording
    while len(courier.archive.requests("lines")) < 3:
        assert courier.uploader.run_pass() == 0.0
    courier.until(courier.receipt(recording).exists)
    assert courier.uploader.run_pass() > 0.0
    assert courier.uploader.run_pass() > 0.0


def test_an_archive_that_was_restored_from_an_old_copy_gets_everything_again(box: Box, courier: Courier) -> None:
    recording = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    recording.begin()
    recording.segment()
    box.recording_until(recording, 3)
    courier.until(lambda: recording.id in courier.archive.kept and courier.archive.kept[recording.id].lines)
    courier.archive.kept.clear()
    recording.segment()
    recording.close()
    box.say()
    courier.send(recording)
    assert_arrived(courier.archive, recording)


def test_a_seal_that_takes_its_time_is_waited_for(box: Box, courier: Courier) -> None:
    courier.archive.seal_after_asked = 12
    recording = box.record()
    courier.send(recording)
    assert len(courier.archive.requests("receipt")) == 1


def test_a_backlog_is_served_in_turn_and_keeps_the_meeting_fresh(box: Box, courier: Courier) -> None:
    backlog = [box.record(seconds=40, rate=8000, segment_frames=1000) for _ in range(3)]
    live = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    live.begin()
    live.segment()
    box.recording_until(live, 3)
    courier.until(lambda: live.id in courier.archive.kept and len(courier.archive.kept[live.id].lines) == 3)
    courier.until(lambda: all(recording.id in courier.archive.kept for recording in backlog))
    assert all(len(courier.archive.kept[recording.id].lines) <= 24 for recording in backlog)


def test_no_backlog_however_long_keeps_a_meeting_back(
    box: Box, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two weeks without a network the meeting of the day is the one that a thief could still take."""
    backlog = [box.record(seconds=40, rate=8000, segment_frames=1000) for _ in range(12)]
    live = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    live.begin()
    live.segment()
    box.recording_until(live, len(live.lines))
    missing: list[int] = []
    served: set[str] = set()
    # the meeting's own time, by which its next batch gathers: a quick machine sends all others within a moment
    passed_s = 0.0
    monkeypatch.setattr(courier.uploader, "_clock", lambda: time.monotonic() + passed_s)
    post = courier.uploader._client.post_lines

    def slowly(recording: str, body: bytes) -> UploadState:
        """A line so slow that seconds of the meeting pass with each batch of another one."""
        nonlocal passed_s
        if recording != live.id:
            passed_s += 4.0
            kept = courier.archive.kept.get(live.id)
            missing.append(len(live.lines) - (0 if kept is None else len(kept.lines)))
            served.add(recording)
            for _ in range(4):
                live.segment()
            box.recording_until(live, len(live.lines))
        return post(recording, body)

    monkeypatch.setattr(courier.uploader._client, "post_lines", slowly)
    courier.until(lambda: len(served) == len(backlog))
    # what came while one batch of another was sent, and perhaps gathers still
    assert max(missing) <= 12, missing


def test_a_meeting_that_is_far_behind_goes_first_until_it_has_caught_up(box: Box, courier: Courier) -> None:
    """The network came back in the middle of it."""
    backlog = [box.record(seconds=40, rate=8000, segment_frames=1000) for _ in range(3)]
    live = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    live.begin()
    for _ in range(35):
        live.segment()
    box.recording_until(live, len(live.lines))
    courier.until(lambda: any(request.recording != live.id for request in courier.archive.requests("lines")))
    assert len(courier.archive.kept[live.id].lines) == len(live.lines)
    assert backlog


def test_with_nothing_to_send_the_archive_is_looked_after_all_the_same(box: Box, courier: Courier) -> None:
    assert courier.progress.archive == "down"
    courier.until(lambda: courier.progress.archive == "up")
    courier.archive.stop()
    courier.until(lambda: courier.progress.archive == "down")
    courier.archive.start()
    courier.until(lambda: courier.progress.archive == "up")


def test_the_lines_in_a_request_are_those_of_the_ledger(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=1)
    courier.send(recording)
    (request,) = courier.archive.requests("lines")
    assert b"".join(recording.lines[:3]) + recording.segments[0] + b"".join(recording.lines[3:]) == request.body
    assert split_lines(b"".join(recording.lines)) == recording.lines
