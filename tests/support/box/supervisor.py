"""A supervisor in a thread of the test, with a fake panel and fake children."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from appliance.contract.ledger import AudioSpan, EndWarning, Fault, Lamp
from appliance.contract.status import RecorderStatus
from appliance.recorder.ipc.messages import EnterFact, Message, decode
from appliance.recorder.panel.base import Panel
from appliance.recorder.settings import RecorderSettings
from appliance.recorder.supervisor.loop import Supervisor
from appliance.recorder.supervisor.processes import Programs
from appliance.simulator.fakes import FakePanel
from tests.support.box.folder import BOX, members
from tests.support.spools import Keys
from tests.support.waiting import PATIENCE_S, TimedOutError, until

KEYS = Keys(BOX)
"""Of every box whose supervisor runs with doubles."""
ENROLLED = members(Path(), KEYS)["keys"]
FAKES = Programs(capture="tests.support.box.fake_capture", writer="tests.support.box.fake_writer")


def settings(folder: Path, **sections: dict[str, Any]) -> RecorderSettings:
    panel = {"lamp_seen": 25, **sections.pop("panel", {})}
    return RecorderSettings.model_validate(members(folder, KEYS, panel=panel, **sections))


def plug(folder: Path, plugged: bool = True) -> None:
    (folder / "asound").mkdir(exist_ok=True)
    card = (
        " 0 [Test           ]: USB-Audio - Test\n                      a test\n"
        if plugged
        else "--- no soundcards ---\n"
    )
    (folder / "asound" / "cards").write_text(card)


class Running:
    """The supervisor, its panel, and what its children logged."""

    def __init__(self, folder: Path, panel: Panel, programs: Programs = FAKES, **sections: dict[str, Any]) -> None:
        self.folder = folder
        self.supervisor = Supervisor(settings(folder, **sections), panel, programs=programs)
        self.status_code: int | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def _run(self) -> None:
        self.status_code = self.supervisor.run()

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.ask_to_stop()
        self._thread.join(60)
        assert not self._thread.is_alive()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def panel(self) -> FakePanel:
        assert isinstance(self.supervisor.panel, FakePanel)
        return self.supervisor.panel

    @property
    def phase(self) -> str:
        return self.supervisor.state.phase

    def until(self, phase: str, seconds: float = PATIENCE_S) -> None:
        try:
            until(lambda: self.phase == phase, f"phase {phase}", seconds)
        except TimedOutError as error:
            state = self.supervisor.state
            raise TimedOutError(f"{error}; it is {state.phase} with {sorted(state.faults)}; {state}") from None

    def press(self) -> None:
        until(self._press_counts, "the next press counts as another one")
        self.panel.happen("button-down")

    def _press_counts(self) -> bool:
        up_ns, repeat = self.supervisor.state.button_up_ns, self.supervisor.parameters.repeat
        return up_ns is None or time.monotonic_ns() - up_ns > repeat

    def release(self) -> None:
        self.panel.happen("button-up")

    def tap(self) -> None:
        """Press, and wait until the supervisor has taken it: what a test changes next comes after it."""
        before_ns = self.supervisor.state.button_up_ns
        self.press()
        self.release()
        until(lambda: self.supervisor.state.button_up_ns != before_ns, "the press is taken")

    def start(self) -> Running:
        self.until("idle")
        self.tap()
        until(lambda: self.panel.last("green") == "on" and self.phase == "recording", "green while recording")
        return self

    def status(self) -> RecorderStatus:
        return RecorderStatus.model_validate_json((self.folder / "run" / "status.json").read_bytes())

    def said(self, name: str) -> list[tuple[int, str]]:
        """The capture processes' own log."""
        path = self.folder / "capture.log"
        lines = path.read_text().splitlines() if path.exists() else []
        split = [line.split(" ", 1) for line in lines]
        return [(int(moment), what) for moment, what in split if what == name]

    def writer_log(self) -> list[Message]:
        """What the writer was sent."""
        path = self.folder / "writer.log"
        return [decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def facts(self) -> list[Lamp | AudioSpan | Fault | EndWarning]:
        return [message.fact for message in self.writer_log() if isinstance(message, EnterFact)]
