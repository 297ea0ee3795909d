"""The recorder as it is started on a box, on real PortAudio and the test microphone; judged from outside, by the lamp's
and the microphone's own logs."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from appliance.recorder.device_checks import CAPTURE_NAME
from appliance.simulator.demo import outside_view
from tests.support.box.whole_box import NOTICED_NS, SECOND, SHORT, Box, kinds, whole_box
from tests.support.waiting import until


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture
def box(tmp_path: Path, plugin: Path) -> Iterator[Box]:
    with whole_box(tmp_path, plugin) as box:
        yield box


def test_promises_1_and_5_a_meeting_with_a_pause(box: Box) -> None:
    box.start()
    comm = Path(f"/proc/{box.child('capture')}/comm")
    until(lambda: comm.read_text().strip() == CAPTURE_NAME, "what an earlier run left open is known by this name")
    recording = box.begin()
    box.tap()
    until(lambda: box.shows("paused", red="off"), "paused")
    # the panel is a process of its own here, which takes the command a moment after it was given
    until(lambda: not box.panel.panel.lit, "the lamp is dark")
    time.sleep(1.0)  # the length of the pause, not a wait for something
    box.tap()
    until(lambda: box.shows("recording", green="on"), "safe again")
    box.end()
    assert outside_view.lamp_covers_audio(box.log("panel"), box.log("microphone"), box.ledger(recording)) == []
    entries = box.ledger(recording)
    assert kinds(entries) == [
        "lamp", "audio", "audio", "lamp", "pause", "lamp", "pause", "audio", "audio", "lamp", "closing",
    ]  # fmt: skip
    started = [line["position"] for line in box.log("microphone") if line.get("device") == "started"]
    pause = next(entry.frame for entry in entries if entry.kind == "pause")
    heard = np.concatenate(box.samples(recording))
    raw = np.fromfile(box.folder / "spoken.raw", "<i2")
    expected = [np.take(raw, np.arange(start, start + length), mode="wrap")
                for start, length in zip(started, (pause, len(heard) - pause), strict=True)]  # fmt: skip
    assert np.array_equal(heard, np.concatenate(expected)), "every sample before and after the pause, none of it"


def test_an_unplugged_microphone_comes_back_inside_the_recording(box: Box) -> None:
    box.start()
    recording = box.begin()
    unplugged_ns = time.monotonic_ns()
    box.microphone.unplug()
    assert box.told_ns("unplugged", unplugged_ns) < NOTICED_NS
    until(lambda: "microphone-missing" in box.status()["faults"], "the fault is told")
    assert box.light("amber") == "slow"
    box.microphone.replug()
    until(lambda: not box.status()["faults"] and box.light("green") == "on", "safe again")
    box.end()
    assert (box.uncovered(), box.unwritten(recording)) == ([], [])
    assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["unplugged"]


def test_a_stalled_microphone_is_noticed_within_2_s_and_opened_again(box: Box) -> None:
    box.start()
    recording = box.begin()
    stalled_ns = time.monotonic_ns()
    box.microphone.stall()
    assert box.told_ns("stalled", stalled_ns) < NOTICED_NS
    until(lambda: "microphone-stalled" in box.status()["faults"], "the status tells as well")
    box.microphone.resume()
    until(lambda: not box.status()["faults"] and box.light("green") == "on", "safe again")
    box.end()
    assert (box.uncovered(), box.unwritten(recording)) == ([], [])
    assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["stall"]


def test_a_switched_off_microphone_is_amber_within_10_s_and_the_recording_goes_on(box: Box) -> None:
    box.commission()
    box.start()
    box.microphone.switch_off()
    pressed_ns = time.monotonic_ns()
    recording = box.begin()
    until(lambda: box.status()["faults"] == ["microphone-muted"], "the fault is told")
    assert box.told_ns("switched off", pressed_ns) < 10 * SECOND
    assert (box.light("green"), box.status()["state"]) == ("on", "recording")
    box.microphone.switch_off(False)
    on_ns = time.monotonic_ns()
    until(lambda: not box.status()["faults"], "the fault is taken back")
    assert box.took_ns("switched on: taken back", on_ns, box.logged_ns("panel", "amber", "off", on_ns)) < 10 * SECOND
    box.end()
    entries = box.ledger(recording)
    assert [(entry.code, entry.raised) for entry in entries if entry.kind == "fault"] == [
        ("microphone-muted", True), ("microphone-muted", False),
    ]  # fmt: skip
    closing = entries[-1]
    assert closing.kind == "closing"
    assert (closing.reason, closing.lost_frames) == ("button", 0)


def test_promise_3_a_killed_recorder_is_idle_at_the_next_start_and_its_recording_is_closed_as_interrupted(
    box: Box,
) -> None:
    box.start()
    recording = box.begin()
    acknowledged = box.status()["acked_frame"]
    assert box.process is not None
    box.process.kill()
    box.process.wait()
    killed = time.monotonic_ns()
    until(lambda: outside_view.open_spans(box.log("microphone"))[-1].end_ns is not None, "the device is closed")
    closed = outside_view.open_spans(box.log("microphone"))[-1].end_ns
    assert closed is not None
    assert box.took_ns("recorder killed: closed", killed, closed) < SECOND
    (box.folder / "run" / "status.json").unlink()
    box.start()
    assert box.status()["state"] == "idle"
    assert not box.panel.panel.lit
    closing = box.ledger(recording)[-1]
    assert closing.kind == "closing"
    assert closing.reason == "interrupted"
    assert closing.frames >= acknowledged > 0
    following = box.begin()
    header = (box.folder / "spool" / "recordings" / following / "header.tsv").read_bytes()
    assert json.loads(header.split(b"\t")[0])["continues"] == recording


def test_promise_2_a_stopped_writer_puts_green_out_and_the_recording_ends_visibly(box: Box) -> None:
    box.start(SHORT)
    box.begin()
    writer = box.child("writer")
    os.kill(writer, signal.SIGSTOP)
    stopped_ns = time.monotonic_ns()
    green_ns = box.logged_ns("panel", "green", "off", stopped_ns)
    red_ns = box.logged_ns("panel", "red", False, stopped_ns)
    assert box.took_ns("writer stopped: green is out", stopped_ns, green_ns) < 5 * SECOND
    assert box.took_ns("green is out: red is out", green_ns, red_ns) < 5 * SECOND
    # closed before it was dark, by the ledger; the microphone's own log may tell so a moment later
    until(lambda: outside_view.open_spans(box.log("microphone"))[-1].end_ns is not None, "the device is closed")
    assert box.uncovered() == []
    assert box.panel.panel.amber == "slow"
    until(lambda: box.status()["ready"] is True, "ready again, with a new writer")
    assert box.child("writer") != writer
    assert box.status()["faults"] == ["recording-ended"]


@pytest.mark.parametrize("name", ["writer", "capture"])
def test_a_killed_child_is_replaced_and_nothing_acknowledged_is_lost(box: Box, name: str) -> None:
    box.start()
    recording = box.begin()
    acknowledged = box.status()["acked_frame"]
    killed_ns = time.monotonic_ns()
    os.kill(box.child(name), signal.SIGKILL)
    assert box.told_ns(f"{name} killed", killed_ns) < NOTICED_NS
    if name == "capture":
        until(lambda: len(outside_view.merged(outside_view.open_spans(box.log("microphone")), 0)) >= 2, "opened again")
        until(lambda: box.light("green") == "on" and not box.status()["faults"], "safe again")
        box.end()
        assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["capture-died"]
    else:
        red_ns = box.logged_ns("panel", "red", False, killed_ns)
        assert box.took_ns("writer killed: the recording ends visibly", killed_ns, red_ns) < 5 * SECOND
        until(lambda: box.status()["ready"] is True, "ready again")
    assert box.uncovered() == []
    closing = box.ledger(recording)[-1]
    assert closing.kind == "closing"
    assert closing.frames >= acknowledged
    assert sum(len(piece) for piece in box.samples(recording)) == closing.frames


def test_a_recording_ended_when_panel_and_microphone_have_logged_it_and_not_when_the_recorder_says_so(
    tmp_path: Path,
) -> None:
    panel: Any = SimpleNamespace(press=lambda: None, release=lambda: None)
    box = Box(tmp_path, panel, cast("Any", None), cast("Any", None))
    (tmp_path / "run" / "status.json").write_text('{"state": "idle"}')
    logs: dict[str, Any] = {
        "panel": ({"red": True}, {"red": False}),
        "microphone": ({"device": "open"}, {"device": "closed"}),
    }
    for name, (on, _) in logs.items():
        (tmp_path / f"{name}.log").write_text(json.dumps({"t_ns": 1, **on}) + "\n")
    late = list(logs)

    def log_the_next(seconds: float) -> None:
        if late and seconds:
            with (tmp_path / f"{late[0]}.log").open("a") as file:
                file.write(json.dumps({"t_ns": 2, **logs[late.pop(0)][1]}) + "\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", log_the_next)
        box.end()
    assert not late
    assert box.uncovered() == []
