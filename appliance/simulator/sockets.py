"""The simulator's local sockets: the recorder's panel line, the microphone's log line, and scripts.

Concurrency: everything runs in the simulator's one event loop; nothing here blocks it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.contract.problems import explain
from appliance.contract.status import Light

from .front_panel import FrontPanel, Log, Message
from .microphone.device import MOST_GAIN_DB, SimulatedMicrophone

SOCKET_MODE = 0o660
MOST_LOST = 48000 * 3600
"""Most frames that one request may lose: an hour."""


class DeviceReport(BaseModel):
    """What the plugin says of one open handle on microphone.sock; all of it goes into the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["open", "started", "closed"]
    t_ns: int
    """CLOCK_MONOTONIC when it happened, in nanoseconds."""
    pid: int
    position: int | None = None
    """The file's frame that is heard first, with `started`."""


class PanelCommand(BaseModel):
    """What the recorder, or `plainsight lamps-out`, may say on panel.sock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    red: bool | None = None
    green: Light | None = None
    amber: Light | None = None
    blinks: int = 0
    lamps_out: bool = False


@dataclass
class Simulation:
    """Panel and microphone, and the faults that can be made."""

    panel: FrontPanel
    microphone: SimulatedMicrophone
    faults: dict[str, bool] = field(default_factory=dict)
    """Which faults of the microphone hold."""

    def act(self, request: Message) -> Message:
        """Do what a script or the page asks, and return the state; an unknown request changes nothing."""
        match request:
            case {"button": "down" | "up" as edge}:
                self.panel.press(edge == "down")
            case {"lamp": "break" | "mend" as what}:
                self.panel.break_lamp(what == "break")
            case {"microphone": str(what)} if what in _MICROPHONE:
                fault, holds, do = _MICROPHONE[what]
                do(self.microphone)
                self.faults[fault] = holds
            case {"lose": int(frames)} if 0 <= frames <= MOST_LOST:
                self.microphone.lose(frames)
            case {"drift_ppb": int(ppb)} if abs(ppb) <= 1_000_000:
                self.microphone.drift(ppb)
            case {"gain_db": int(gain_db)} if abs(gain_db) <= MOST_GAIN_DB:
                self.microphone.amplify(gain_db)
                self.faults["overdriven"] = gain_db > 0
            case {"state": True}:
                pass
            case _:
                return {"ok": False, "error": {"code": "unknown-request", "message": "there is no such request"}}
        return {"ok": True, "state": self.state()}

    def state(self) -> Message:
        """Return panel and faults."""
        return {**self.panel.state(), "faults": dict(self.faults)}


_MICROPHONE: dict[str, tuple[str, bool, Callable[[SimulatedMicrophone], None]]] = {
    "unplug": ("unplugged", True, SimulatedMicrophone.unplug),
    "replug": ("unplugged", False, SimulatedMicrophone.replug),
    "stall": ("stalled", True, SimulatedMicrophone.stall),
    "resume": ("stalled", False, SimulatedMicrophone.resume),
    "mute": ("muted", True, SimulatedMicrophone.mute),
    "unmute": ("muted", False, lambda microphone: microphone.mute(False)),
    "switch-off": ("off", True, SimulatedMicrophone.switch_off),
    "switch-on": ("off", False, lambda microphone: microphone.switch_off(False)),
    "busy": ("busy", True, SimulatedMicrophone.busy),
    "free": ("busy", False, lambda microphone: microphone.busy(False)),
}


@dataclass
class Sockets:
    """Serves the three sockets of a simulation."""

    simulation: Simulation
    microphone_log: Log
    folder: Path
    _servers: list[asyncio.Server] = field(default_factory=list)
    _open: frozenset[int] = frozenset()
    """The handles of the microphone that are open."""
    _handles: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def start(self) -> None:
        """Open the sockets; the folder's group may use panel and microphone."""
        self._servers = [
            await self._serve("panel.sock", self._panel),
            await self._serve("microphone.sock", self._microphone),
            await self._serve("control.sock", self._control),
        ]

    async def close(self) -> None:
        """Close the sockets."""
        for server in self._servers:
            server.close()

    async def _serve(
        self, name: str, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> asyncio.Server:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            except (ConnectionError, ValueError):
                pass  # a peer that died, or sent an endless line or nonsense; its connection ends here
            finally:
                writer.close()

        path = self.folder / name
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(guarded, path)
        path.chmod(SOCKET_MODE if name != "control.sock" else 0o600)
        return server

    async def _panel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        panel = self.simulation.panel

        def send(message: Message) -> None:
            writer.write(json.dumps(message).encode() + b"\n")

        listening = False
        try:
            while line := await reader.readline():
                try:
                    command = PanelCommand.model_validate_json(line)
                except ValidationError as error:
                    send({"error": explain(error)})
                    continue
                if command.lamps_out:
                    panel.lamps_out()
                    send({"lamps_out": True})
                    await writer.drain()
                    continue
                if not listening:
                    if panel.listeners:
                        send({"error": "another recorder has this panel"})
                        return
                    listening = True
                    panel.listeners.append(send)
                    for message in panel.present():
                        send(message)
                panel.command(command.red, command.green, command.amber, command.blinks)
        finally:
            if listening:
                panel.listeners.remove(send)

    async def _microphone(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        handle, opened = next(self._handles), False
        try:
            while line := await reader.readline():
                report = DeviceReport.model_validate_json(line)
                self._hold(handle, opened := report.device != "closed")
                entry = report.model_dump(exclude_none=True)
                self.microphone_log.write({**entry, "handle": handle}, report.t_ns)
        finally:
            self._hold(handle, False)
            if opened:
                # the process was killed: the kernel closed its device, and hung up
                entry = {"device": "closed", "handle": handle, "killed": True}
                self.microphone_log.write(entry, time.monotonic_ns())

    def _hold(self, handle: int, opened: bool) -> None:
        """Keep the stand-in for /proc/asound true."""
        before = bool(self._open)
        self._open = self._open | {handle} if opened else self._open - {handle}
        if before != bool(self._open):
            self.simulation.microphone.hold(not before)

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request = json.loads(line)
            answer = self.simulation.act(request if isinstance(request, dict) else {})
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
