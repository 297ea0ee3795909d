"""A whole box for tests: the recorder's real processes on real PortAudio, the test microphone, and a panel, each of
which keeps a log of its own."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.contract import times
from appliance.contract.commissioning import Commissioning
from appliance.contract.encryption import Identity
from appliance.contract.errors import DeviceError
from appliance.contract.header import Microphone
from appliance.contract.ledger import AnyFact, Entry
from appliance.contract.segment import decode
from appliance.contract.signed import split_lines
from appliance.recorder.microphone_monitor import learn, measure
from appliance.simulator.demo import outside_view
from appliance.simulator.microphone.device import CARD, DEVICE, IDENTITY, SimulatedMicrophone
from appliance.simulator.speech import room
from tests.support.box.folder import BoxFolder
from tests.support.lateness import Lateness
from tests.support.waiting import until

from .folder import ROOT
from .panel_server import PanelServer
from .writer import speech

SECOND = 1_000_000_000
SHORT = "[times]\nack_s = 2.0\nunsafe_s = 4.0\ndrain_s = 2.0\n"
"""Settings with which a disk that hangs ends the recording soon."""
NOTICED_NS = 5 * SECOND // 2
"""A fault of capture is told within 2 s; half a second more where a test shares its machine with others."""
REPEAT_S = 0.7
"""A person presses again after so many seconds: the recorder's half a second, and what the panel's socket takes."""
MEASURED = logging.getLogger("measured")
"""Times for docs/figures.md: `pytest -o log_cli=true --log-cli-level=INFO` shows them."""


class Box:
    """One box: its panel, its microphone, and the recorder's process, on a machine that is busy or not."""

    def __init__(self, folder: Path, panel: PanelServer, microphone: SimulatedMicrophone, machine: Lateness) -> None:
        self.folder, self.panel, self.microphone, self.machine = folder, panel, microphone, machine
        self.home = BoxFolder(folder)
        self.key, self.identity = self.home.keys.box_signing, self.home.keys.archive
        self.process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}
        self.sections: dict[str, dict[str, Any]] = {}
        """Further settings, section by section."""
        self._released = 0.0

    def start(self, extra: str = "") -> None:
        self.launch(extra)
        until(lambda: self.status().get("ready") is True, "ready")

    def configure(self, extra: str = "") -> Path:
        """Write the recorder's settings."""
        heard = {"device": DEVICE, "card": CARD, "asound": str(self.microphone.asound)}
        return self.home.configure(extra, microphone=heard, panel={"lamp_seen": 25, "mic_rail": 27}, **self.sections)

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
            box=self.home.keys.box,
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
            self.process.wait(60)

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
        # a press so soon after another one was let go is the same press
        time.sleep(max(0.0, self._released + REPEAT_S - time.monotonic()))
        self.panel.press()
        self.panel.release()
        self._released = time.monotonic()

    def begin(self) -> str:
        """Press, and wait for green: the first seconds are safe."""
        self.tap()
        until(lambda: self.shows("recording", green="on"), "safe")
        return str(self.status()["recording"])

    def end(self) -> None:
        """Hold the button until the recording is closed, and until panel and microphone have logged its end as well."""
        time.sleep(max(0.0, self._released + REPEAT_S - time.monotonic()))
        self.panel.press()
        until(lambda: self.status()["state"] not in ("recording", "paused"), "the end")
        self.panel.release()
        until(lambda: self.status()["state"] == "idle", "idle")
        until(self._is_dark, "dark, by the panel's log")
        until(self._is_closed, "closed, by the microphone's log")

    def _is_dark(self) -> bool:
        # the panel acts on a command before it logs that, and says nothing of either
        return all(light.end_ns is not None for light in outside_view.lit_spans(self.log("panel")))

    def _is_closed(self) -> bool:
        return all(span.end_ns is not None for span in outside_view.open_spans(self.log("microphone")))

    def ledger(self, recording: str) -> list[AnyFact]:
        path = self.folder / "spool" / "recordings" / recording / "ledger.tsv"
        return [Entry.read(line, self.key.public).fact for line in split_lines(path.read_bytes())]

    def log(self, name: str) -> list[dict[str, Any]]:
        return outside_view.read_log((self.folder / f"{name}.log").read_text())

    def told_ns(self, what: str, since_ns: int) -> int:
        """Wait until amber tells of something, by the panel's log; return how long the box took, in nanoseconds."""

        return self.took_ns(f"{what}: told", since_ns, self.logged_ns("panel", "amber", "slow", since_ns))

    def took_ns(self, what: str, since_ns: int, done_ns: int) -> int:
        """Return how long something took the box, in nanoseconds: without what its machine was late meanwhile."""
        MEASURED.info(
            "%s after %.0f ms, machine late for %.0f",
            what, (done_ns - since_ns) / 1e6, self.machine.late_ns(since_ns, done_ns) / 1e6,
        )  # fmt: skip
        return self.machine.taken_ns(since_ns, done_ns)

    def logged_ns(self, name: str, what: str, value: object, after_ns: int) -> int:
        """Wait until a log tells something after a moment; return when it happened, on CLOCK_MONOTONIC."""

        def found() -> list[int]:
            return [line["t_ns"] for line in self.log(name) if line.get(what) == value and line["t_ns"] > after_ns]

        return until(found, f"{what} {value} in {name}.log")[0]

    def uncovered(self) -> list[outside_view.Span]:
        """When a device was open outside every lit span, by the lamp's and the device's own logs."""
        lit = outside_view.lit_spans(self.log("panel"))
        if self._is_dark():
            until(self._is_closed, "closed in the dark, by the microphone's log")
        opened = outside_view.open_spans(self.log("microphone"))
        assert opened, "no device was opened at all"
        return [span for span in opened if not any(light.covers(span) for light in lit)]

    def unwritten(self, recording: str) -> list[outside_view.Span]:
        """When a device was open outside every audio span of the ledger; 20 ms and the lateness are allowed.

        So is an attempt to hear that gave nothing, where the machine was late for a second: it is made again.
        """
        moments = [entry.at_ns for entry in self.ledger(recording) if entry.kind == "audio"]

        def slack(moment: int) -> int:
            return outside_view.AGREEMENT_NS + self.machine.late_ns(moment - SECOND // 4, moment + SECOND // 4)

        spans = [
            outside_view.Span(on - slack(on), off + slack(off))
            for on, off in zip(moments[::2], moments[1::2], strict=True)
        ]
        opened = outside_view.open_spans(self.log("microphone"))
        return [
            span for span in opened if not any(written.covers(span) for written in spans) and not self._starved(span)
        ]

    def _starved(self, span: outside_view.Span) -> bool:
        if span.end_ns is None or self.machine.late_ns(span.start_ns, span.end_ns) < SECOND:
            return False
        begun = [line["t_ns"] for line in self.log("microphone") if line.get("device") == "started"]
        return not any(span.start_ns <= one <= span.end_ns for one in begun)

    def samples(self, recording: str) -> list[np.ndarray[Any, np.dtype[np.int16]]]:
        """The audio, a piece for each ledger segment."""
        folder = self.folder / "spool" / "recordings" / recording
        secret = Identity.parse(self.identity.decrypt((folder / "key.age").read_bytes()).decode())
        return [
            decode(secret.decrypt((folder / "segments" / f"{entry.segment:08d}.age").read_bytes()), entry.frames, 48000)
            for entry in self.ledger(recording)
            if entry.kind == "segment"
        ]


@contextmanager
def whole_box(folder: Path, plugin: Path, seconds: int = 60) -> Iterator[Box]:
    """A box in `folder` that hears noise, over and over every `seconds`; skips where the microphone cannot be built."""
    spoken = folder / "spoken.raw"
    spoken.write_bytes(speech(48000 * seconds).tobytes())
    try:
        microphone = SimulatedMicrophone(folder, spoken, plugin)
    except DeviceError as error:
        pytest.skip(f"this machine cannot build the test microphone: {error.message}")
    with microphone, PanelServer(folder, microphone) as panel, Lateness() as machine:
        box = Box(folder, panel, microphone, machine)
        try:
            yield box
        finally:
            box.stop()


def kinds(entries: list[AnyFact]) -> list[str]:
    return [entry.kind for entry in entries if entry.kind not in ("segment", "drift")]
