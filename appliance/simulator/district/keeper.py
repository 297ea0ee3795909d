"""Stopping, starting and killing parts on the front panel's word, and bringing the recorder back, as systemd would.

Concurrency: runs in the demonstration's one event loop. Requests are lines of JSON on a local socket that only the
panel's account may open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .accounts import PANEL_GROUP
from .services import Service, run_once

RESTART_S = 1.0
"""Pause before the recorder is started again, in seconds, as RestartSec= in its unit."""


@dataclass
class Keeper:
    """Knows the parts; answers the panel; watches the recorder."""

    recorder: Service
    groups: dict[str, list[Service]]
    """What the panel calls `archive`, `broker`, `recorder`, and the services that each stands for."""
    lamps_out: list[str]
    tell: Callable[[str], None]
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
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        if self._server is not None:
            self._server.close()

    async def put_lamps_out(self) -> None:
        """Do what the recorder's unit does in ExecStopPost, after nothing of it runs any more."""
        await self.recorder.sweep()
        await run_once(self.lamps_out, self.recorder.account, self.recorder.accounts, self.recorder.environment)

    async def _watch(self) -> None:
        while True:
            process = self.recorder.process
            if process is None:
                return
            status = await process.wait()
            self.tell(f"the recorder ended with status {status}; lamps out, and a new start in {RESTART_S:.0f} s")
            await self.put_lamps_out()
            await asyncio.sleep(RESTART_S)
            await self.recorder.start()

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
