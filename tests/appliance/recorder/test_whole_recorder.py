"""The recorder as it is started on a box, on real PortAudio and the test microphone; judged from outside, by the lamp's
and the microphone's own logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract import times
from appliance.contract.commissioning import Commissioning
from appliance.contract.errors import DeviceError
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.contract.ledger import AnyEntry, read_entry
from appliance.contract.sealed import Identity
from appliance.contract.segment import decode
from appliance.contract.signed import split_lines
from appliance.recorder.hearing import learn, measure
from appliance.simulator.district import judge
from appliance.simulator.microphone.device import CARD, DEVICE, IDENTITY, SimulatedMicrophone
from appliance.simulator.speech import room

from .box import ROOT, speech
from .panel_server import PanelServer
from .running import wait

SECOND = 1_000_000_000
SHORT = "[times]\nack_s = 2.0\nunsafe_s = 4.0\ndrain_s = 2.0\n"


class Box:
    """One box: its panel, its microphone, and the recorder's process."""

    def __init__(self, folder: Path, panel: PanelServer, microphone: SimulatedMicrophone) -> None:
        self.folder, self.panel, self.microphone = folder, panel, microphone
        self.key, self.identity = SigningKey.generate(), Identity.generate()
        self.key.save(folder / "box.key")
        for name in ("spool", "inbox", "run"):
            (folder / name).mkdir()
        self.process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}

    def start(self, extra: str = "") -> None:
        self.launch(extra)
        wait(lambda: self.status().get("ready") is True, "ready", 20)

    def configure(self, extra: str = "") -> Path:
        path = self.folder / "recorder.toml"
        (self.folder / "recorder.toml").write_text(
            f"""
[box]
id = "box-test"
signing_key = "{self.folder}/box.key"
commissioning = "{self.folder}/commissioning.tsv"
[keys]
archive_recipient = "{self.identity.recipient}"
escrow_recipient = "{self.identity.recipient}"
archive_key = "{SigningKey.generate().public}"
[spool]
path = "{self.folder}/spool"
inbox = "{self.folder}/inbox"
run = "{self.folder}/run"
[microphone]
device = "{DEVICE}"
card = "{CARD}"
asound = "{self.microphone.asound}"
[panel]
kind = "simulated"
socket = "{self.folder}/panel.sock"
lamp_seen = 25
mic_rail = 27
[checks]
clock = false
commissioned = false
{extra}"""
        )
        return path

    def launch(self, extra: str = "") -> None:
        path = self.configure(extra)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance.command", "recorder", "--config", str(path)],
            cwd="/",
            env={**os.environ, **self.microphone.environment, "PYTHONPATH": str(ROOT), **self.environment},
            stderr=(self.folder / "recorder.log").open("a"),
            text=True,
        )

    def commission(self) -> None:
        """Sign the floor of a quiet room, as `plainsight commission` would."""
        record = Commissioning(
            box="box-test",
            box_key=self.key.public,
            made_at=times.now(),
            microphone=Microphone(device=DEVICE, card=CARD, identity=IDENTITY),
            rate=48000,
            floor=learn([measure(np.rint(room(48000)).astype(np.int16), 48000)] * 10),
            checked=["microphone"],
            software="test",
        )
        (self.folder / "commissioning.tsv").write_bytes(record.sign(self.key))

    def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def child(self, name: str) -> int:
        assert self.process is not None
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", f"appliance.recorder.{name}"],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(found.stdout.split()[0])

    def status(self) -> dict[str, Any]:
        path = self.folder / "run" / "status.json"
        found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return found

    def light(self, name: str) -> str | None:
        lights: dict[str, str] = self.status().get("lights", {})
        return lights.get(name)

    def shows(self, state: str, **lights: str) -> bool:
        """Whether one and the same status has this state and these lights."""
        status = self.status()
        shown: dict[str, str] = status.get("lights", {})
        return status.get("state") == state and all(shown[name] == mode for name, mode in lights.items())

    def tap(self) -> None:
        self.panel.press()
        self.panel.release()

    def begin(self) -> str:
        """Press, and wait for green: the first seconds are safe."""
        self.tap()
        wait(lambda: self.shows("recording", green="on"), "safe", 20)
        return str(self.status()["recording"])

    def end(self) -> None:
        self.panel.press()
        wait(lambda: self.status()["state"] not in ("recording", "paused"), "the end", 5)
        self.panel.release()
        wait(lambda: self.status()["state"] == "idle", "idle", 20)

    def ledger(self, recording: str) -> list[AnyEntry]:
        path = self.folder / "spool" / "recordings" / recording / "ledger.tsv"
        return [read_entry(line, self.key.public) for line in split_lines(path.read_bytes())]

    def log(self, name: str) -> list[dict[str, Any]]:
        return judge.read_log((self.folder / f"{name}.log").read_text())

    def uncovered(self) -> list[judge.Span]:
        """When a device was open outside every lit span, by the lamp's and the device's own logs."""
        lit = judge.lit_spans(self.log("panel"))
        opened = judge.open_spans(self.log("microphone"))
        assert opened, "no device was opened at all"
        return [span for span in opened if not any(light.covers(span) for light in lit)]

    def unwritten(self, recording: str) -> list[judge.Span]:
        """When a device was open outside every audio span of the ledger, 20 ms allowed."""
        moments = [entry.at_ns for entry in self.ledger(recording) if entry.kind == "audio"]
        slack = judge.AGREEMENT_NS
        spans = [judge.Span(on - slack, off + slack) for on, off in zip(moments[::2], moments[1::2], strict=True)]
        opened = judge.open_spans(self.log("microphone"))
        return [span for span in opened if not any(written.covers(span) for written in spans)]

    def samples(self, recording: str) -> list[np.ndarray[Any, np.dtype[np.int16]]]:
        """The audio, a piece for each ledger segment."""
        folder = self.folder / "spool" / "recordings" / recording
        secret = Identity.parse(self.identity.open((folder / "key.age").read_bytes()).decode())
        return [
            decode(secret.open((folder / "segments" / f"{entry.segment:08d}.age").read_bytes()), entry.frames, 48000)
            for entry in self.ledger(recording)
            if entry.kind == "segment"
        ]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture
def box(tmp_path: Path, plugin: Path) -> Iterator[Box]:
    spoken = tmp_path / "spoken.raw"
    spoken.write_bytes(speech(48000 * 60).tobytes())
    try:
        microphone = SimulatedMicrophone(tmp_path, spoken, plugin)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    with microphone, PanelServer(tmp_path, microphone) as panel:
        box = Box(tmp_path, panel, microphone)
        yield box
        box.stop()


def kinds(entries: list[AnyEntry]) -> list[str]:
    return [entry.kind for entry in entries if entry.kind not in ("segment", "drift")]


def test_promises_1_and_5_a_meeting_with_a_pause(box: Box) -> None:
    box.start()
    recording = box.begin()
    box.tap()
    wait(lambda: box.shows("paused", red="off"), "paused")
    # the panel is a process of its own here, which takes the command a moment after it was given
    wait(lambda: not box.panel.panel.lit, "the lamp is dark", 1)
    time.sleep(1.0)  # the length of the pause, not a wait for something
    box.tap()
    wait(lambda: box.shows("recording", green="on"), "safe again", 20)
    box.end()
    assert judge.lamp_covers_audio(box.log("panel"), box.log("microphone"), box.ledger(recording)) == []
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
    box.microphone.unplug()
    wait(lambda: "microphone-missing" in box.status()["faults"], "the fault is told", 5)
    assert box.light("amber") == "slow"
    box.microphone.replug()
    wait(lambda: not box.status()["faults"] and box.light("green") == "on", "safe again", 20)
    box.end()
    assert (box.uncovered(), box.unwritten(recording)) == ([], [])
    assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["unplugged"]


def test_a_stalled_microphone_is_noticed_within_2_s_and_opened_again(box: Box) -> None:
    box.start()
    recording = box.begin()
    stalled = time.monotonic()
    box.microphone.stall()
    wait(lambda: "microphone-stalled" in box.status()["faults"], "the fault is told", 5)
    assert time.monotonic() - stalled < 2.8, "2 s, a block, and a status"
    box.microphone.resume()
    wait(lambda: not box.status()["faults"] and box.light("green") == "on", "safe again", 20)
    box.end()
    assert (box.uncovered(), box.unwritten(recording)) == ([], [])
    assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["stall"]


def test_a_switched_off_microphone_is_amber_within_10_s_and_the_recording_goes_on(box: Box) -> None:
    box.commission()
    box.start()
    box.microphone.switch_off()
    pressed = time.monotonic()
    recording = box.begin()
    wait(lambda: box.status()["faults"] == ["microphone-muted"], "the fault is told", 10)
    assert time.monotonic() - pressed < 10
    wait(lambda: box.panel.panel.amber == "slow", "amber", 1)
    assert (box.light("green"), box.status()["state"]) == ("on", "recording")
    box.microphone.switch_off(False)
    wait(lambda: not box.status()["faults"], "the fault is taken back", 10)
    box.end()
    entries = box.ledger(recording)
    assert [(entry.code, entry.raised) for entry in entries if entry.kind == "fault"] == [
        ("microphone-muted", True), ("microphone-muted", False),
    ]  # fmt: skip
    closing = entries[-1]
    assert closing.kind == "closing"
    assert (closing.reason, closing.lost_frames) == ("button", 0)


def test_promise_1_a_stopped_supervisor_leaves_no_microphone_open(box: Box) -> None:
    box.start()
    box.begin()
    assert box.process is not None
    box.process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic_ns()
    wait(lambda: judge.open_spans(box.log("microphone"))[-1].end_ns is not None, "the device is closed", 5)
    closed = judge.open_spans(box.log("microphone"))[-1].end_ns
    assert closed is not None
    assert closed - stopped < SECOND
    box.process.send_signal(signal.SIGCONT)


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
    wait(lambda: judge.open_spans(box.log("microphone"))[-1].end_ns is not None, "the device is closed", 5)
    closed = judge.open_spans(box.log("microphone"))[-1].end_ns
    assert closed is not None
    assert closed - killed < SECOND
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
    wait(lambda: box.light("green") == "off", "green is out", 3)
    wait(lambda: not box.panel.panel.lit, "red is out", 5)
    assert judge.open_spans(box.log("microphone"))[-1].end_ns is not None
    assert box.panel.panel.amber == "slow"
    wait(lambda: box.status()["ready"] is True, "ready again, with a new writer", 20)
    assert box.child("writer") != writer
    assert box.status()["faults"] == ["recording-ended"]


@pytest.mark.parametrize("name", ["writer", "capture"])
def test_a_killed_child_is_replaced_and_nothing_acknowledged_is_lost(box: Box, name: str) -> None:
    box.start()
    recording = box.begin()
    acknowledged = box.status()["acked_frame"]
    os.kill(box.child(name), signal.SIGKILL)
    if name == "capture":
        wait(lambda: len(judge.merged(judge.open_spans(box.log("microphone")), 0)) >= 2, "opened again")
        wait(lambda: box.light("green") == "on" and not box.status()["faults"], "safe again", 20)
        box.end()
        assert [entry.cause for entry in box.ledger(recording) if entry.kind == "gap"] == ["capture-died"]
    else:
        wait(lambda: not box.panel.panel.lit, "the recording ends visibly", 5)
        wait(lambda: box.status()["ready"] is True, "ready again", 20)
    assert box.uncovered() == []
    closing = box.ledger(recording)[-1]
    assert closing.kind == "closing"
    assert closing.frames >= acknowledged
    assert sum(len(piece) for piece in box.samples(recording)) == closing.frames
