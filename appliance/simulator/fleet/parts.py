"""The parts of a site as processes: started, looked at, ended; and what each costs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.contract.errors import PlainSightError

STOP_S: Final = 30.0
"""Time that a part gets to end by itself after SIGTERM, in seconds."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class FleetError(PlainSightError):
    """The fleet could not go on."""

    code = "fleet"


@dataclass
class Part:
    """A process of its own, with those that it starts."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    has_children: bool = True
    """Whether it may start others: who did is told by each of its threads, and a share of the fleet has hundreds."""
    cpu_s: float = 0.0
    """CPU time of all its processes so far, in seconds."""
    memory: int = 0
    """Most memory that they had at once, in bytes; what several share counts once."""
    largest: int = 0
    """Most memory that one of them had, in bytes."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _before_s: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start it; what it used before counts on."""
        self._before_s = self.cpu_s
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command), env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def require_running(self) -> None:
        """Raise FleetError with its last words if it has ended."""
        if not self.running:
            raise FleetError(f"{self.name} has ended: {self.last_words()}")

    def last_words(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def measure(self) -> None:
        """Add up what its processes have used."""
        if self.process is None:
            return
        pids = _tree(self.process.pid) if self.has_children else [self.process.pid]
        self.cpu_s = max(self.cpu_s, self._before_s + sum(_cpu_s(pid) for pid in pids))
        sizes = [_memory(pid) for pid in pids]
        self.memory = max(self.memory, sum(sizes))
        self.largest = max(self.largest, *sizes)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; what does not end by itself is killed."""
        if self.process is None or not self.running:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            for pid in _tree(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


def run_once(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command to its end and return its output; raise FleetError with its last words if it fails."""
    done = subprocess.run(
        list(command), env=dict(environment), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise FleetError(f"{' '.join(command[2:6])} failed: {done.stderr.strip()[-1500:]}")
    return done.stdout


def wait_for_port(part: Part, port: int, seconds: float) -> None:
    """Return when `part` listens on a port of 127.0.0.1; raise FleetError."""
    deadline = time.monotonic() + seconds
    while not _listens(port):
        part.require_running()
        if time.monotonic() > deadline:
            raise FleetError(f"{part.name} does not listen after {seconds:g} s: {part.last_words()}")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table)


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, and those of children that have ended (proc_pid_stat(5))
    return sum(map(int, fields[11:15])) / _TICKS


def _memory(pid: int) -> int:
    """Return a process's share of memory (proc_pid_smaps(5), Pss), in bytes."""
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0]) * 1024
    return 0
