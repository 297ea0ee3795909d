"""Commissioning without hardware: a fake panel, a person who answers, a fake microphone, and the record of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from appliance.contract.commissioning import Commissioning, Floor
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.recorder.commissioning.command import commission
from appliance.recorder.commissioning.installer import Cue
from appliance.recorder.commissioning.panel_loop import PanelLoop
from appliance.recorder.settings import RecorderSettings
from appliance.simulator.fakes import FakePanel
from tests.support.box.folder import BoxFolder
from tests.support.box.supervisor import FAKES, KEYS, plug, settings

RATE = 48000


def noise(seconds: float, amplitude: float = 30.0) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A microphone's own noise: 30 is about -61 dB of full scale."""
    return np.random.default_rng(1).normal(0, amplitude, round(seconds * RATE)).astype("<i2")


@dataclass
class Person:
    """Stands at the box, sees what is right, and presses the button when asked."""

    panel: FakePanel
    present: bool = True
    misses: str = ""
    """Says no to questions with this word."""
    presses: bool = True
    speaks: Callable[[], None] = lambda: None
    """Begins to speak."""
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)

    def tell(self, text: str) -> None:
        self.said.append(text)
        if "Press the button" in text and self.presses:
            self.panel.happen("button-down")
            self.panel.happen("button-up")

    def cue(self, what: Cue) -> None:
        self.cues.append(what)

    def ask(self, question: str) -> bool:
        assert self.present, question
        self.asked.append(question)
        if "speak" in question:
            self.speaks()
        return not (self.misses and self.misses in question)


class Site:
    """A box on an installer's table."""

    def __init__(self, folder: Path, fake: FakePanel | None = None, **sections: dict[str, Any]) -> None:
        self.folder = folder
        self.panel = fake or FakePanel()
        self.person = Person(self.panel)
        self.key = BoxFolder(folder, KEYS).keys.box_signing
        plug(folder)
        self.card = folder / "asound" / "card0"
        self.card.mkdir()
        (self.card / "usbid").write_text("0d8c:0014\n")
        # a fake panel answers at once; a busy machine may let the capture process wait, which then would be killed
        times = {"lamp_s": 0.05, "close_s": 3.0}
        self.settings: RecorderSettings = settings(folder, times=times, **sections)
        self.record = self.settings.box.commissioning
        self.person.speaks = lambda: self.hears(noise(10, 600.0))
        self.hears(noise(10))

    def hears(self, samples: np.ndarray[Any, Any]) -> None:
        (self.folder / "sound.raw").write_bytes(samples.astype("<i2").tobytes())

    def commission(self, seconds: float = 5.0) -> int:
        panel_loop = PanelLoop(self.panel, self.settings)
        return commission(panel_loop, self.person, self.key, seconds=seconds, as_json=True, module=FAKES.capture)

    def heard(self, what: str) -> list[int]:
        """When the fake capture process did something, by its own log."""
        path = self.folder / "capture.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.split(" ", 1)[0]) for line in lines if line.split(" ", 1)[1] == what]

    def dark_ns(self) -> int:
        """When the lamp went dark last, after it was lit."""
        reds = [(at_ns, state) for at_ns, light, state in self.panel.history if light == "red"]
        last_lit = max(index for index, (_, state) in enumerate(reds) if state == "on")
        return reds[last_lit + 1][0]


def a_record(settings: RecorderSettings, key: SigningKey, **changes: Any) -> Commissioning:
    members: dict[str, Any] = {
        "box": settings.box.id,
        "box_key": key.public,
        "made_at": "2026-01-02T03:04:05.678Z",
        "microphone": Microphone(device="test", card="Test", identity="0d8c:0014"),
        "rate": 48000,
        "floor": Floor(rms=-6000, bands=[-7000, -7500]),
        "checked": ["red", "lamp-sensor", "green", "amber", "button", "microphone", "speech"],
        "software": "plainsight 0",
        **changes,
    }
    return Commissioning(**members)


@contextmanager
def a_simulator(folder: Path) -> Iterator[None]:
    """A socket where the settings look for a simulated panel."""
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / "panel.sock"))
        yield
