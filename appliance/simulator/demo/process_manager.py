"""Stopping, starting and killing parts on the front panel's word, and bringing the recorder back, as systemd would.

Concurrency: runs in the demonstration's one event loop. Requests are lines of JSON on a local socket that only the
panel's account may open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from appliance.contract.status import RecorderStatus

from .accounts import PANEL_GROUP
from .services import DemoError, Service, run_once

RESTART_S = 1.0
"""Pause before the recorder is started again, in seconds, as RestartSec= in its unit."""
WATCHDOG_S = 10.0
"""A recorder that says nothing for this long is killed, in seconds, as WatchdogSec= in its unit."""
START_S = 60.0
"""So long it may take to its first word, in seconds, as TimeoutStartSec= in its unit."""
_LOOK_S = 0.5


@dataclass
class ProcessManager:
    """Knows the parts; answers the panel; watches the recorder."""

    recorder: Service
    groups: dict[str, list[Service]]
    """What the panel calls `archive`, `broker`, `recorder`, and the services that each stands for."""
    lamps_out: list[str]
    status: Path
    """The recorder's status file, whose time stands for the notifications that systemd would get."""
    tell: Callable[[str], None]
    watchdog_s: float = WATCHDOG_S
    _server: asyncio.Server | None = field(default=None, init=False)
    _watcher: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self, socket: Path, separate: bool) -> None:
        """Serve the socket and start to watch the recorder."""
        self._server = await asyncio.start_unix_server(self._serve, socket)
        socket.chmod(0o660)
        if separate:
            os.chown(socket, 0, PANEL_GROUP)
        self._watcher = asyncio.create_task(self._watch(), name="recorder-watch")

    async def stop(self) -> None:
        """Stop watching and serving; the services are left to the caller."""
        if self._server is not None:
            self._server.close()
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher

    async def put_lamps_out(self) -> None:
        """Do what the recorder's unit does in ExecStopPost, after nothing of it runs any more."""
        await self.recorder.sweep()
        await run_once(self.lamps_out, self.recorder.account, self.recorder.accounts, self.recorder.environment)

    async def _watch(self) -> None:
        while True:
            process = self.recorder.process
            if process is None:
                return
            status = await self._until_ended(process)
            self.tell(f"the recorder ended with status {status}; lamps out, and a new start in {RESTART_S:.0f} s")
            try:
                await self.put_lamps_out()
            except DemoError as error:
                # without its front panel no lamp answers, and the recorder is started anew all the same, as by systemd
                self.tell(error.message)
            await asyncio.sleep(RESTART_S)
            await self.recorder.start()

    async def _until_ended(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the recorder's end, and see to it where it says nothing any more: stopped, or hung."""
        started_ns = time.monotonic_ns()
        ended = asyncio.ensure_future(process.wait())
        try:
            while not (await asyncio.wait({ended}, timeout=_LOOK_S))[0]:
                if self._silent(started_ns):
                    self.tell(f"the recorder has said nothing for {self.watchdog_s:g} s; it is killed")
                    await self.recorder.kill()
            return ended.result()
        finally:
            ended.cancel()

    def _silent(self, started_ns: int) -> bool:
        try:
            said_ns = RecorderStatus.model_validate_json(self.status.read_bytes()).monotonic_ns
        except (OSError, ValidationError):
            said_ns = 0
        # what an earlier run said is no word of this one
        since_ns, patience = (said_ns, self.watchdog_s) if said_ns > started_ns else (started_ns, START_S)
        return time.monotonic_ns() - since_ns > patience * 1e9

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
            action, services = request["do"], self.groups[request.get("what", "recorder")]
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "state": self.state(), "error": "unknown request"}
        if action == "stop" and services[0] is not self.recorder:
            for service in reversed(services):
                await service.stop()
        elif action == "start" and services[0] is not self.recorder:
            for service in services:
                await service.start()
        elif action == "kill":
            for service in services:
                await service.kill()
        elif action != "state":
            return {"ok": False, "state": self.state(), "error": f"{action!r} is not possible here"}
        return {"ok": True, "state": self.state()}

    def state(self) -> dict[str, bool]:
        """Return which parts run."""
        return {name: all(service.running for service in services) for name, services in self.groups.items()}
