"""`plainsight commission` as an installer starts it, with a real capture process on the test microphone; judged from
outside by the lamp's and the microphone's own logs (promise 1)."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from appliance.contract.errors import DeviceError
from appliance.recorder.commissioning_record import read_record
from appliance.recorder.settings import load
from appliance.simulator.demo import outside_view
from appliance.simulator.front_panel import FrontPanel
from appliance.simulator.microphone.device import CARD, DEVICE, IDENTITY, SimulatedMicrophone
from tests.support.box.commissioning import noise
from tests.support.box.folder import ROOT
from tests.support.box.panel_server import PanelServer
from tests.support.box.whole_box import Box
from tests.support.lateness import Lateness
from tests.support.waiting import until

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plugin")


@pytest.fixture
def box(tmp_path: Path, plugin: Path) -> Iterator[Box]:
    quiet = tmp_path / "quiet.raw"
    quiet.write_bytes(noise(10).tobytes())
    try:
        microphone = SimulatedMicrophone(tmp_path, quiet, plugin)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    with microphone, PanelServer(tmp_path, microphone) as panel, Lateness() as machine:
        box = Box(tmp_path, panel, microphone, machine)
        yield box
        box.stop()


def start(box: Box, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "appliance.command", "commission", "--config", str(box.configure()), *arguments],
        cwd="/",
        env={**os.environ, **box.microphone.environment, "PYTHONPATH": str(ROOT)},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def answer(box: Box, words: IO[bytes], terminal: int, said: list[str]) -> None:
    """Be the person: say yes to each question, press when asked to."""
    text = ""
    while more := os.read(words.fileno(), 4096):
        said.append(more.decode())
        text += said[-1]
        if text.endswith("[y/n] "):
            box.microphone.amplify(26 if "speak" in text else 0)
            os.write(terminal, b"y\n")
            text = ""
        elif "Press the button" in text and text.endswith("\n"):
            box.panel.press()
            box.panel.release()
            text = ""


def test_promise_1_an_installer_walks_through_a_box(box: Box) -> None:
    # as an SPH0645 has it
    box.microphone.shift(-0.11)
    ours, theirs = pty.openpty()
    process = start(box, "--seconds", "5", "--json", stdin=theirs)
    os.close(theirs)
    assert process.stderr is not None
    assert process.stdout is not None
    said: list[str] = []
    person = threading.Thread(target=answer, args=(box, process.stderr, ours, said))
    person.start()
    result = json.loads(process.stdout.read())
    assert process.wait(60) == 0, "".join(said)
    person.join(60)
    os.close(ours)
    for pipe in (process.stdout, process.stderr):
        pipe.close()
    record = read_record(load(box.folder / "recorder.toml"))
    assert result["record"] == record.model_dump(mode="json")
    assert result["untried"] == []
    assert (record.microphone.device, record.microphone.card, record.microphone.identity) == (DEVICE, CARD, IDENTITY)
    assert -6300 < record.floor.rms < -5900
    assert box.uncovered() == []
    opened = outside_view.open_spans(box.log("microphone"))
    assert all(span.end_ns is not None for span in opened)
    assert process.pid not in {line.get("pid") for line in box.log("microphone")}, "another process hears"
    assert not box.panel.panel.red


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_promise_1_broken_off_or_killed_while_it_listens(box: Box, number: signal.Signals) -> None:
    process = start(box, "--no-questions", "--seconds", "60")
    until(lambda: any(line["device"] == "started" for line in box.log("microphone")), "listening")
    if os.geteuid() == 0:
        hears = next(line["pid"] for line in box.log("microphone"))
        networks = {Path(f"/proc/{pid}/ns/net").readlink() for pid in (process.pid, hears)}
        assert len(networks) == 1
        assert networks != {Path("/proc/self/ns/net").readlink()}, "promise 4: what hears has no network"
    if number == signal.SIGINT:
        # a terminal tells everybody in front of it
        os.killpg(process.pid, number)
    else:
        process.kill()
    _, words = process.communicate(timeout=60)
    until(lambda: all(span.end_ns is not None for span in outside_view.open_spans(box.log("microphone"))), "closed")
    assert box.uncovered() == []
    assert not (box.folder / "commissioning.tsv").exists()
    if number == signal.SIGINT:
        assert process.returncode == 130, words.decode()
        assert b"nothing was written" in words
        assert b"Traceback" not in words
        until(lambda: not box.panel.panel.red, "dark")
    else:
        # lines keep their state when a process is killed: the lamp is lit until lamps-out, the microphone is closed
        assert box.panel.panel.red


def test_promise_1_the_first_press_commissions_a_box_without_a_screen_and_the_next_one_records(box: Box) -> None:
    box.sections = {"checks": {"clock": False, "commissioned": True}}
    box.microphone.amplify(0)
    box.start()
    assert "not-commissioned" in box.status()["faults"]
    recorder = box.process
    assert recorder is not None
    box.tap()
    panel = box.panel.panel
    card = [
        ((True, "off", "off"), "Is the red light"),
        ((False, "on", "off"), "Is the green light"),
        ((False, "off", "on"), "Is the amber light"),
        ((False, "on", "on"), "Press the button"),
        ((False, "slow", "off"), "Will everybody be still"),
        ((False, "off", "slow"), "Will somebody speak"),
    ]
    for lights, question in card:
        # a press before the box listens is none, and one too many answers the next question
        until(asked(box, question), question)
        # the panel is a process of its own here, which takes the command a moment after it was given
        until(shown(panel, lights), f"{question}: the lights")
        box.microphone.amplify(26 if "speak" in question else 0)
        box.tap()
    until((box.folder / "commissioning.json").exists, "the report")
    until(lambda: box.status().get("ready") and "not-commissioned" not in box.status()["faults"], "the recorder again")
    assert recorder.poll() is None, "it is one process, with one watchdog"
    record = read_record(load(box.folder / "recorder.toml"))
    assert {"red", "green", "amber", "button", "microphone", "speech"} <= set(record.checked)
    assert not any(finding["verdict"] == "wrong" for finding in reported(box))
    assert box.uncovered() == []
    box.begin()
    box.end()


def shown(panel: FrontPanel, lights: tuple[bool, str, str]) -> Callable[[], bool]:
    return lambda: (panel.red, panel.green, panel.amber) == lights


def asked(box: Box, question: str) -> Callable[[], bool]:
    return lambda: question in (box.folder / "recorder.log").read_text()


def reported(box: Box) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((box.folder / "commissioning.json").read_bytes())["findings"]
    return found
