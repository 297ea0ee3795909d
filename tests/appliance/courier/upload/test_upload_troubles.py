"""Trouble with an archive, a line or one recording: nothing is lost, nobody else waits, and it is told once."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter

import pytest

from appliance.courier.status_reader import StatusReader
from appliance.courier.upload.archive_client import ArchiveClient
from appliance.courier.upload.uploader import Uploader
from tests.support.box.courier import FAST, Box, Courier
from tests.support.fake_archive import Answer, Request, assert_arrived, lines_sent, refusal


def test_an_archive_that_is_down_loses_nothing(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=25, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording
    courier.until(lambda: courier.archive.requests("lines"))
    courier.archive.stop()
    courier.passes(10)
    assert courier.progress.archive == "down"
    courier.archive.start()
    courier.until(courier.receipt(recording).exists)
    assert courier.progress.archive == "up"
    assert lines_sent(courier.archive, recording) == recording.lines


def test_an_archive_that_is_away_is_not_hammered(box: Box, courier: Courier) -> None:
    for _ in range(5):
        box.record(rate=8000, segment_frames=1000)
    courier.archive.rule = lambda _: Answer(cut=True)
    began = time.monotonic()
    while time.monotonic() < began + 1.5:
        courier.uploader.run_pass()
    # pauses of 0.05, 0.1, 0.2, 0.2 ... s, at least half of each, and each attempt is made twice on a cut connection
    assert len(courier.archive.history) <= 2 * 18


def test_an_archive_that_asks_to_slow_down_is_left_alone_so_long_and_then_gets_everything(
    box: Box, courier: Courier
) -> None:
    first, second = (box.record(seconds=25, rate=8000, segment_frames=1000) for _ in range(2))
    told: list[Request] = []

    def slow(request: Request) -> Answer | None:
        if request.what != "lines" or len(told) >= 3:
            return None
        told.append(request)
        return Answer(429, refusal("too-many-requests", 429).body, {"Retry-After": "1"})

    courier.archive.rule = slow
    courier.send(first, second)
    for recording in (first, second):
        assert_arrived(courier.archive, recording)
        assert lines_sent(courier.archive, recording) == recording.lines
    history = courier.archive.history
    for request in told:
        after = [one.at - request.at for one in history if one.at > request.at]
        assert min(after) >= 1.0, "nothing at all is asked before the time is up, for no recording"
    assert max(len(request.body) for request in told) <= max(
        len(request.body) for request in courier.archive.requests("lines", status=200)
    ), "a batch that came too early is not cut smaller"
    assert len(courier.archive.requests("state")) <= 4, "what is known of a recording still holds"


@pytest.mark.parametrize("what", ["header", "lines"])
def test_a_quota_keeps_one_recording_back_for_as_long_as_it_says_and_no_other(
    box: Box, courier: Courier, what: str
) -> None:
    many, good = box.record(), box.record()
    told: list[Request] = []

    def full(request: Request) -> Answer | None:
        if request.recording != many.id or request.what != what or told:
            return None
        told.append(request)
        return Answer(429, refusal("quota", 429).body, {"Retry-After": "2"})

    courier.archive.rule = full
    courier.send(good, many)
    for recording in (many, good):
        assert_arrived(courier.archive, recording)
    again = [one.at for one in courier.archive.history if one.recording == many.id and one.at > told[0].at]
    assert min(again) - told[0].at >= 2.0


def test_a_connection_that_was_cut_in_the_middle_of_everything_loses_nothing(box: Box, courier: Courier) -> None:
    seen: Counter[str] = Counter()

    def cut_each_first(request: Request) -> Answer | None:
        key = f"{request.what} {len(request.body)}"
        seen[key] += 1
        return Answer(cut=True) if seen[key] <= 3 else None

    courier.archive.rule = cut_each_first
    recording = box.record(seconds=25, reason="interrupted", tail=2, rate=8000, segment_frames=1000)
    courier.send(recording)
    assert_arrived(courier.archive, recording)


def test_an_answer_that_was_lost_is_no_second_delivery(box: Box, courier: Courier) -> None:
    """The archive took the batch, but its answer never came: the archive is asked, not flooded."""
    recording = box.record(seconds=5, rate=8000, segment_frames=1000)
    lost: list[Request] = []

    def take_and_fail(request: Request) -> Answer | None:
        if request.what == "lines" and not lost:
            lost.append(request)
            courier.archive._honest(request)
            return Answer(502, b"bad gateway")
        return None

    courier.archive.rule = take_and_fail
    courier.send(recording)
    assert_arrived(courier.archive, recording)
    assert courier.archive.requests("lines", status=200) == []


def test_one_refused_recording_keeps_no_other_back(box: Box, courier: Courier) -> None:
    refused, good = box.record(), box.record()
    courier.archive.rule = lambda request: (
        refusal("bad-signature", 403, "who are you") if request.recording == refused.id else None
    )
    courier.send(good)
    courier.until(lambda: courier.state(refused) == "refused")
    assert courier.state(good) == "sealed"
    assert not courier.receipt(refused).exists()
    courier.archive.rule = lambda _: None
    courier.send(refused)
    assert courier.state(refused) == "sealed"


def test_an_archive_that_is_away_as_a_whole_is_no_failure_of_the_recording_that_noticed(
    box: Box, courier: Courier
) -> None:
    """Else the one that was asked first waits longest once the archive is back."""
    recording = box.record(rate=8000, segment_frames=1000)
    courier.archive.rule = lambda _: Answer(503)
    courier.until(lambda: len(courier.archive.history) >= 5)
    waits = courier.uploader._uploads[recording.id].backoff
    assert (waits.attempts, waits.until) == (0, 0.0)


def test_a_failure_that_concerns_one_recording_slows_only_that_one(box: Box, courier: Courier) -> None:
    broken, good = box.record(), box.record()
    courier.archive.rule = lambda request: Answer(500, b"oops") if request.recording == broken.id else None
    courier.send(good)
    began, before = time.monotonic(), len(courier.archive.history)
    while time.monotonic() < began + 1.0:
        courier.uploader.run_pass()
    # pauses of 0.05, 0.1, 0.2, 0.2 ... s, at least half of each
    assert 0 < len([one for one in courier.archive.history[before:] if one.recording == broken.id]) <= 12


def in_one_moment(box: Box, courier: Courier) -> None:
    """Let the courier's clock stand: whatever has to wait waits for ever."""
    settings = box.settings(courier.archive.url)
    status = StatusReader(box.root / "run", box.keys.box)
    courier.uploader = Uploader(settings, ArchiveClient(settings), status, clock=lambda: 0.0)


def test_a_failure_that_concerns_one_recording_holds_no_other_up_for_a_moment(box: Box, courier: Courier) -> None:
    broken, good = box.record(), box.record()
    courier.archive.recordings[good.id] = good
    courier.archive.rule = lambda request: Answer(500, b"oops") if request.recording == broken.id else None
    in_one_moment(box, courier)
    courier.passes(8)
    assert courier.receipt(good).exists()
    assert [one.recording for one in courier.archive.history].count(broken.id) == 1


def test_a_recording_of_which_all_is_sent_keeps_nobody_busy(box: Box, courier: Courier) -> None:
    recording = box.record(reason=None)
    box.recording_until(recording, 3)
    in_one_moment(box, courier)
    courier.until(lambda: recording.id in courier.archive.kept and courier.archive.kept[recording.id].lines)
    assert courier.uploader.run_pass() == FAST["poll_s"]


def test_an_archive_that_is_away_is_logged_once_for_all_recordings_and_so_is_its_return(
    box: Box, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recordings = [box.record() for _ in range(3)]
    courier.archive.stop()
    courier.passes(10)
    courier.archive.start()
    courier.send(*recordings)
    assert sum("cannot be reached" in message for message in caplog.messages) == 1
    assert [message for message in caplog.messages if "works again" in message] == ["archive: it works again"]


def test_a_failure_that_concerns_one_recording_is_logged_with_its_name_and_so_is_its_end(
    box: Box, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broken, good = box.record(), box.record()
    courier.archive.rule = lambda request: Answer(500, b"oops") if request.recording == broken.id else None
    courier.send(good)
    courier.passes(5)
    assert sum("at fault (status 500)" in message for message in caplog.messages) == 1
    courier.archive.rule = lambda _: None
    courier.send(broken)
    assert f"{broken.id}: it works again" in caplog.messages


def test_a_tail_that_the_archive_took_is_no_trouble_and_one_that_it_still_misses_is_tried_slowly(
    box: Box, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    good = box.record(seconds=2, reason="interrupted", tail=2, rate=8000, segment_frames=1000)
    courier.send(good)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    lost = box.record(seconds=2, reason="interrupted", tail=1, rate=8000, segment_frames=1000)
    courier.archive.rule = lambda request: Answer(201) if request.what.startswith("tail/") else None
    courier.until(lambda: "still misses it" in caplog.text)
    before, began = len(courier.archive.history), time.monotonic()
    while time.monotonic() < began + 1.0:
        courier.uploader.run_pass()
    tails = [one for one in courier.archive.history[before:] if one.what.startswith("tail/")]
    assert len(tails) <= 12
    assert courier.state(lost) == "receiving"


def test_an_idea_that_is_out_of_date_is_corrected_once_and_then_refused(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=3, rate=8000, segment_frames=1000)
    wrong = [1]

    def out_of_order(request: Request) -> Answer | None:
        if request.what == "lines" and wrong[0]:
            wrong[0] -= 1
            return refusal("bad-order", 409)
        return None

    courier.archive.rule = out_of_order
    courier.archive.recordings[recording.id] = recording
    while not courier.receipt(recording).exists():
        courier.passes(1)
        assert courier.state(recording) != "refused"
    other = box.record(seconds=3, rate=8000, segment_frames=1000)
    wrong[0] = 10_000
    courier.until(lambda: courier.state(other) == "refused")
    assert len([one for one in courier.archive.requests("lines") if one.recording == other.id]) == 2


def test_a_refusal_that_comes_late_stays_visible_and_is_retried_ever_more_slowly(box: Box, courier: Courier) -> None:
    recording = box.record()
    courier.archive.rule = lambda request: refusal("bad-digest", 400) if request.what == "lines" else None
    courier.until(lambda: len(courier.archive.requests("lines")) >= 3)
    for _ in range(20):
        courier.uploader.run_pass()
        assert courier.state(recording) == "refused"
        assert courier.progress.archive == "refusing"
    times = [request.at for request in courier.archive.requests("lines")]
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.2


def test_a_verdict_of_the_archive_is_shown(box: Box, courier: Courier) -> None:
    recording = box.record()
    courier.archive.verdicts[recording.id] = "closed"
    courier.until(lambda: courier.state(recording) == "closed")
    courier.archive.verdicts[recording.id] = "refused"
    courier.until(lambda: courier.state(recording) == "refused")
    assert not courier.receipt(recording).exists()


def test_an_archive_that_has_lines_which_the_box_has_not_is_a_refusal(box: Box, courier: Courier) -> None:
    recording = box.record(reason=None)
    courier.archive.recordings[recording.id] = recording
    box.recording_until(recording, len(recording.lines))
    courier.until(lambda: recording.id in courier.archive.kept and len(courier.archive.kept[recording.id].lines) == 5)
    del recording.lines[-1]
    (recording.folder / "ledger.tsv").write_bytes(recording.ledger)
    recording.close("interrupted")
    courier.archive.rule = lambda request: None
    box.say()
    courier.until(lambda: courier.state(recording) == "refused")


def test_a_recording_that_vanishes_in_the_middle_is_no_trouble(box: Box, courier: Courier, caplog: object) -> None:
    recording = box.record(seconds=25, rate=8000, segment_frames=1000)
    other = box.record()

    def vanish(request: Request) -> Answer | None:
        if request.recording == recording.id and request.what == "lines" and recording.folder.exists():
            shutil.rmtree(recording.folder)
        return None

    courier.archive.rule = vanish
    courier.send(other)
    courier.passes(3)
    assert recording.id not in courier.progress.recordings or not recording.folder.exists()
    assert courier.progress.archive == "up"


def test_a_damaged_segment_is_named_and_what_comes_before_it_is_not_torn(
    box: Box, courier: Courier, caplog: object
) -> None:
    recording, good = box.record(), box.record()
    (recording.folder / "segments" / "00000001.age").write_bytes(b"short")
    courier.send(good)
    courier.passes(3)
    assert courier.archive.kept[recording.id].lines == []
    assert "segment 1" in caplog.text  # type: ignore[attr-defined]
