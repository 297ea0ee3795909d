"""The simulator's front panel, and its microphone's log, behind their sockets, in a thread: no network is needed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

from appliance.recorder.supervisor.machine import Parameters
from appliance.simulator.front_panel import FrontPanel, Log
from appliance.simulator.sockets import Simulation, Sockets
from tests.support.waiting import until

APART_S = Parameters.repeat / 1e9 + 0.2
"""Presses that are to count as two are this far apart, in seconds: what the recorder takes for one, and its wake-up."""


class PanelServer:
    """Serves `folder`/panel.sock, and microphone.sock, while it is entered."""

    def __init__(self, folder: Path, microphone: Any = None) -> None:
        self._file = (folder / "panel.log").open("a")
        self._microphone_file = (folder / "microphone.log").open("a")
        self.panel = FrontPanel(Log(self._file))
        self._log = folder / "panel.log"
        microphone = microphone or SimpleNamespace(hold=lambda _: None)
        self._sockets = Sockets(Simulation(self.panel, microphone), Log(self._microphone_file), folder)
        self._free_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="panel-server")

    def __enter__(self) -> PanelServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._sockets.start(), self._loop).result(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._sockets.close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()
        self._file.close()
        self._microphone_file.close()

    def press(self) -> None:
        until(lambda: time.monotonic() >= self._free_at, "the next press counts as another one")
        self._loop.call_soon_threadsafe(self.panel.press, True)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self.panel.press, False)
        self._free_at = time.monotonic() + APART_S

    def log(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [{name: value for name, value in line.items() if name != "t_ns"} for line in lines]
