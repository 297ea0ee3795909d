"""A slow uplink is slow and nothing else: whatever it carries arrives, alone and shared by ten boxes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from appliance.courier.status_reader import StatusReader
from appliance.courier.upload.archive_client import ArchiveClient
from appliance.courier.upload.batches import MAX_SEGMENTS
from appliance.courier.upload.uploader import Uploader
from tests.support.box.courier import FAST, Box, Courier
from tests.support.fake_archive import Answer, FakeArchive, Request, refusal
from tests.support.slow_line import slow_line
from tests.support.spools import Keys, Recording

PATIENCE_S = 120.0


def make_box(folder: Path) -> Box:
    for name in ("spool/recordings", "inbox", "run", "state"):
        (folder / name).mkdir(parents=True)
    return Box(folder, Keys())


def send_all(box: Box, url: str, recording: Recording) -> None:
    settings = box.settings(url)
    uploader = Uploader(settings, ArchiveClient(settings), StatusReader(box.root / "run", box.keys.box))
    deadline = time.monotonic() + PATIENCE_S
    while not (box.inbox / f"{recording.id}.tsv").exists() and time.monotonic() < deadline:
        time.sleep(min(uploader.run_pass(), 0.02))


def test_a_batch_that_takes_longer_than_an_answer_may_arrives(box: Box, archive: FakeArchive) -> None:
    kbit_s = 256
    recording = box.record(seconds=MAX_SEGMENTS, rate=8000, segment_frames=8000)
    assert sum(map(len, recording.segments)) * 8 / (kbit_s * 1000) > 2 * FAST["answer_s"]
    archive.recordings[recording.id] = recording
    with slow_line(archive.port, kbit_s) as line:
        send_all(box, line.url, recording)
    assert archive.kept[recording.id].lines == recording.lines
    assert len(archive.requests("lines")) == 1, "it was sent once"


def test_ten_boxes_share_one_line_after_an_outage(tmp_path: Path, archive: FakeArchive) -> None:
    boxes = [make_box(tmp_path / str(number)) for number in range(10)]
    recordings = [box.record(seconds=2, rate=8000, segment_frames=8000) for box in boxes]
    archive.recordings.update({recording.id: recording for recording in recordings})
    with slow_line(archive.port, 768) as line:
        threads = [
            threading.Thread(target=send_all, args=[box, line.url, recording])
            for box, recording in zip(boxes, recordings, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert [archive.kept[recording.id].lines for recording in recordings] == [one.lines for one in recordings]
    assert all((box.inbox / f"{one.id}.tsv").exists() for box, one in zip(boxes, recordings, strict=True))


@pytest.mark.parametrize(
    "answer",
    [Answer(413, b"<h1>Request Entity Too Large</h1>"), refusal("too-large", 413), Answer(cut=True), Answer(502)],
    ids=["a proxy's 413", "the archive's 413", "cut off", "bad gateway"],
)
def test_a_batch_that_failed_shrinks_down_to_one_segment(answer: Answer, box: Box, courier: Courier) -> None:
    recording = box.record(seconds=25, rate=8000, segment_frames=1000)
    largest = max(map(len, recording.segments)) + 2000

    def only_small(request: Request) -> Answer | None:
        return answer if request.what == "lines" and len(request.body) > largest else None

    courier.archive.rule = only_small
    courier.send(recording)
    assert courier.archive.kept[recording.id].lines == recording.lines


def test_a_size_that_was_refused_is_not_tried_again(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=60, rate=8000, segment_frames=1000)
    largest = 6 * max(map(len, recording.segments))
    courier.archive.rule = lambda request: Answer(413) if len(request.body) > largest else None
    courier.send(recording)
    assert courier.archive.kept[recording.id].lines == recording.lines
    assert len(courier.archive.requests("lines", status=413)) <= 3


def test_a_batch_grows_again_when_the_line_is_better(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=80, rate=8000, segment_frames=1000)
    failures = [3]

    def broken_at_first(request: Request) -> Answer | None:
        if request.what == "lines" and failures[0]:
            failures[0] -= 1
            return Answer(503)
        return None

    courier.archive.rule = broken_at_first
    courier.send(recording)
    sizes = [len(request.body) for request in courier.archive.requests("lines", status=200)]
    assert sizes[0] < max(sizes) / 4


def gathering(box: Box, courier: Courier) -> None:
    """Let a running meeting's lines gather for an hour."""
    members = box.members(courier.archive.url)
    members["times"] = {**FAST, "gather_s": 3600.0}
    settings = type(box.settings(courier.archive.url)).model_validate(members)
    courier.uploader = Uploader(settings, ArchiveClient(settings), StatusReader(box.root / "run", box.keys.box))


def test_what_a_running_meeting_has_piled_up_during_an_outage_does_not_gather(box: Box, courier: Courier) -> None:
    recording = box.record(seconds=35, reason=None, rate=8000, segment_frames=1000)
    courier.archive.recordings[recording.id] = recording
    box.recording_until(recording, len(recording.lines))
    gathering(box, courier)
    courier.until(lambda: len(courier.archive.requests("lines")) == 4)
    assert courier.archive.kept[recording.id].lines == recording.lines


def test_a_running_meeting_is_sent_in_batches_that_gather_and_at_once_when_it_ends(box: Box, courier: Courier) -> None:
    recording = Recording(box.spool, box.keys, rate=8000, segment_frames=1000)
    recording.begin()
    courier.archive.recordings[recording.id] = recording
    box.recording_until(recording, 2)
    gathering(box, courier)
    courier.until(lambda: len(courier.archive.requests("lines")) == 1)
    for _ in range(3):
        recording.segment()
        box.recording_until(recording, len(recording.lines))
        courier.passes(3)
    assert len(courier.archive.requests("lines")) == 1
    recording.close()
    box.say()
    courier.until(courier.receipt(recording).exists)
    assert len(courier.archive.requests("lines")) == 2
