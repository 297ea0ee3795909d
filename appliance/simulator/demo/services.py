"""Starting, stopping and killing the parts; the demonstration's stand-in for systemd.

Concurrency: one event loop, in one thread, owns every process; nothing here blocks it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.contract.errors import PlainSightError

from .accounts import Account, Accounts

STOP_S = 10.0
"""Time that a part gets to end by itself after SIGTERM, in seconds."""


FIRST_NICE = -10
"""The nice value of a session of processes that gets about nine times another one's share (sched(7), autogrouping)."""


class DemoError(PlainSightError):
    """The demonstration could not go on."""

    code = "demo"


@dataclass
class Service:
    """One part: a process group that logs into a file of its own."""

    name: str
    command: list[str]
    account: Account
    accounts: Accounts
    environment: dict[str, str]
    log: Path
    first: bool = False
    """Whether it gets more of the cores than all others, as its unit says of the recorder (CPUWeight)."""
    death: str = "KILL"
    """The signal that it gets when the demonstration dies without a word."""
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start it, unless it runs."""
        if self.running:
            return
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.accounts.wrap(self.account, self.command, self.death),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd="/",
                start_new_session=True,
            )
        if self.first:
            # only root may say so; for others, the kernel shares the cores evenly among sessions
            with contextlib.suppress(OSError):
                Path(f"/proc/{self.process.pid}/autogroup").write_text(f"{FIRST_NICE}")

    async def stop(self) -> None:
        """Ask it to end, wait, and kill what is left of its group."""
        if self.process is None:
            return
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), STOP_S)
            except TimeoutError:
                self._signal_group(signal.SIGKILL)
                await self.process.wait()
        await self.sweep()

    async def kill(self) -> None:
        """Kill the main process alone, as a crash would."""
        if self.process is not None and self.running:
            self.process.kill()
            await self.process.wait()

    async def sweep(self) -> None:
        """Kill what is left of the group and wait until nothing of it runs, as systemd does before ExecStopPost."""
        if self.process is None:
            return
        self._signal_group(signal.SIGKILL)
        group = self.process.pid
        await until(lambda: not alive_in_group(group), 5.0, f"{self.name}'s processes to be gone")

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def tail(self, lines: int = 12) -> str:
        """Return the end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def alive_in_group(group: int) -> list[int]:
    """Return the processes of a group that still run; a zombie waiting for init does not."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        state, _, pgrp = text.rpartition(")")[2].split()[:3]
        if int(pgrp) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


async def until(
    condition: Callable[[], bool], seconds: float, what: str, alive: Callable[[], str | None] = lambda: None
) -> None:
    """Wait for `condition` with a deadline; `alive` may name a reason to give up earlier."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if reason := alive():
            raise DemoError(f"waited for {what}, but {reason}")
        if asyncio.get_running_loop().time() > deadline:
            raise DemoError(f"waited {seconds:.0f} s in vain for {what}; the logs tell more")
        await asyncio.sleep(0.02)


async def run_once(command: list[str], account: Account, accounts: Accounts, environment: dict[str, str]) -> str:
    """Run a command to its end and return its output; raise DemoError with its last words if it fails."""
    process = await asyncio.create_subprocess_exec(
        *accounts.wrap(account, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd="/",
    )
    output, errors = await process.communicate()
    if process.returncode:
        said = errors.strip() or output.strip()
        raise DemoError(f"{' '.join(command[:4])} ... failed: {said.decode(errors='replace')[-2000:]}")
    return output.decode()
