"""Stops (SIGSTOP, a hung fsync) of each process of a recorder, judged by the panel's and the microphone's own logs.

Wherever the supervisor is alive, capture is closed and red is dark within a second of a pause or an end, whatever the
other processes do. Where it is not, capture closes by itself within a second. Where all are stopped nobody can close
anything: no frame is taken, and the first thing that happens afterwards is that the microphone is closed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest

from appliance.simulator.demo import outside_view
from tests.support.box.whole_box import MEASURED, NOTICED_NS, SECOND, Box, whole_box
from tests.support.storage import shim as disk
from tests.support.waiting import until

MS = SECOND // 1000
HOLD_NS = 1500 * MS
SHORT = "[times]\nack_s = 2.0\nunsafe_s = 5.0\ndrain_s = 1.0\n"


@pytest.fixture(scope="module")
def fsync(tmp_path_factory: pytest.TempPathFactory) -> disk.Shim:
    folder = tmp_path_factory.mktemp("disk")
    try:
        library = disk.build(folder)
    except disk.CannotError as error:
        pytest.skip(f"this machine cannot hang an fsync: {error}")
    return disk.Shim(library, folder, folder.parent)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, fsync: disk.Shim) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("box")
    with whole_box(folder, folder / "plugin") as box:
        box.environment = fsync.environment
        box.start(SHORT)
        yield box


@pytest.fixture
def box(started: Box) -> Box:
    """The one box of these tests, idle; it is started once."""
    until(lambda: started.status()["state"] == "idle", "idle")
    return started


def closed_and_dark(box: Box, gesture_ns: int, what: str) -> None:
    dark_ns = box.logged_ns("panel", "red", False, gesture_ns)
    spans = outside_view.open_spans(box.log("microphone"))
    closed_ns = max(span.end_ns for span in spans if span.end_ns is not None)
    assert all(span.end_ns is not None for span in spans)
    MEASURED.info("%s: closed after %.0f ms", what, (closed_ns - gesture_ns) / MS)
    assert closed_ns < dark_ns, "promise 1: the microphone first, then the lamp"
    assert box.took_ns(f"{what}: dark", gesture_ns, dark_ns) < SECOND


def pause(box: Box, what: str) -> None:
    before = time.monotonic_ns()
    box.tap()
    closed_and_dark(box, box.logged_ns("panel", "button", "up", before), what)


def resume(box: Box) -> None:
    box.tap()
    until(lambda: box.status()["state"] == "recording" and box.light("green") == "on", "safe again")


def safe_again(box: Box) -> None:
    """Wait until a microphone is open and the box, by a status of now, calls the last seconds safe."""
    now_ns = time.monotonic_ns()

    def safe() -> bool:
        status = box.status()
        opened = outside_view.open_spans(box.log("microphone"))[-1].end_ns is None
        return opened and status["monotonic_ns"] > now_ns and status["lights"]["green"] == "on" and not status["faults"]

    until(safe, "safe again")


def end(box: Box, what: str) -> None:
    before = time.monotonic_ns()
    box.panel.press()
    closed_and_dark(box, box.logged_ns("panel", "button", "down", before) + HOLD_NS, what)
    box.panel.release()


def held(box: Box, recording: str) -> list[str]:
    """Check the finished recording against the logs; return the causes of its gaps."""
    until(lambda: box.status()["state"] == "idle", "idle")
    assert box.uncovered() == []
    entries = box.ledger(recording)
    assert entries[-1].kind == "closing"
    assert entries[-1].frames == sum(len(piece) for piece in box.samples(recording))
    return [entry.cause for entry in entries if entry.kind == "gap"]


def test_promise_1_a_stopped_writer_keeps_neither_microphone_nor_lamp_on(box: Box) -> None:
    recording = box.begin()
    writer = box.child("writer")
    os.kill(writer, signal.SIGSTOP)
    pause(box, "pause beside a stopped writer")
    os.kill(writer, signal.SIGCONT)
    resume(box)
    os.kill(writer, signal.SIGSTOP)
    end(box, "end beside a stopped writer")
    os.kill(writer, signal.SIGCONT)
    assert held(box, recording) == []


def test_promise_1_a_stopped_capture_or_supervisor_leaves_no_microphone_open_and_the_recording_goes_on(
    box: Box,
) -> None:
    recording = box.begin()
    os.kill(box.child("capture"), signal.SIGSTOP)
    pause(box, "pause with a stopped capture")
    until(lambda: box.status()["faults"] == [], "the next capture is warm")
    resume(box)

    os.kill(box.child("capture"), signal.SIGSTOP)
    assert box.told_ns("capture stopped", time.monotonic_ns()) < NOTICED_NS
    safe_again(box)

    assert box.process is not None
    os.kill(box.process.pid, signal.SIGSTOP)
    stopped_ns = time.monotonic_ns()
    until(lambda: outside_view.open_spans(box.log("microphone"))[-1].end_ns is not None, "the device is closed")
    closed_ns = outside_view.open_spans(box.log("microphone"))[-1].end_ns
    assert closed_ns is not None
    assert box.took_ns("supervisor stopped: closed", stopped_ns, closed_ns) < SECOND
    os.kill(box.process.pid, signal.SIGCONT)
    safe_again(box)

    os.kill(box.child("capture"), signal.SIGSTOP)
    end(box, "end with a stopped capture")
    # while the button was held, for longer than closing takes, a stopped capture gave nothing
    assert held(box, recording) == ["stall", "capture-died", "stall"]


def test_promise_1_of_the_time_in_which_all_processes_are_stopped_not_a_frame_is_kept(box: Box) -> None:
    recording = box.begin()
    assert box.process is not None
    everyone = [box.process.pid, box.child("writer"), box.child("capture")]
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)
    stopped_ns = time.monotonic_ns()
    handle = outside_view.open_spans(box.log("microphone"))[-1]
    assert handle.end_ns is None
    time.sleep(1.0)  # the length of the stop, not a wait for something
    assert outside_view.open_spans(box.log("microphone"))[-1] == handle, "nobody can close it"
    went_on_ns = time.monotonic_ns()
    for pid in everyone:
        os.kill(pid, signal.SIGCONT)
    until(lambda: outside_view.open_spans(box.log("microphone"))[-1] != handle, "the device is closed")
    closed_ns = next(
        span.end_ns for span in outside_view.open_spans(box.log("microphone")) if span.start_ns == handle.start_ns
    )
    assert closed_ns is not None
    assert box.took_ns("all stopped, then went on: closed", went_on_ns, closed_ns) < 300 * MS
    safe_again(box)
    box.end()
    assert held(box, recording) == ["capture-died"]
    [gap] = [entry for entry in box.ledger(recording) if entry.kind == "gap"]
    heard = np.concatenate(box.samples(recording))
    raw = np.fromfile(box.folder / "spoken.raw", "<i2").tobytes()
    before, after = heard[gap.first_frame - 64 : gap.first_frame], heard[gap.first_frame + gap.frames :][:64]
    assert not heard[gap.first_frame : gap.first_frame + gap.frames].any()
    # the file is heard in real time, so that places in it are times
    lost = (raw.find(after.tobytes()) - raw.find(before.tobytes())) // 2 - 64
    assert lost % (48000 * 60) >= (went_on_ns - stopped_ns) / 1e9 * 48000
    assert abs(lost % (48000 * 60) - gap.frames) < 0.05 * 48000


def test_promise_1_a_writer_that_hangs_in_fsync_keeps_neither_microphone_nor_lamp_on(
    box: Box, fsync: disk.Shim
) -> None:
    recording = box.begin()
    fsync.order("fsync", 0, wait=disk.FOR_EVER_S)
    until(lambda: fsync.first_ns() is not None, "the writer hangs")
    pause(box, "pause beside a hung fsync")
    box.tap()
    until(lambda: box.panel.panel.lit, "lit again")
    end(box, "end beside a hung fsync")
    fsync.mend()
    until(lambda: box.status()["state"] == "fault" or "recording-ended" in box.status()["faults"], "told")
    until(lambda: box.status()["ready"] is True, "ready again, with a new writer")
    assert held(box, recording) == []
    assert [entry.reason for entry in box.ledger(recording) if entry.kind == "closing"] == ["interrupted"]
