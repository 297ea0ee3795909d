"""A machine under QEMU: booted, cut off, asked to run commands. Its serial console is a file on the host."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .limits import patience
from .sockets import JsonSocket, ProtocolError

MEMORY: Final = "1536M"
BOARD: Final = "3f0a51a2-6d0c-4a57-9d2b-8c1be5a30001"
"""The serial number of the board, which a Pi keeps in its one-time memory."""
OTHER_BOARD: Final = "3f0a51a2-6d0c-4a57-9d2b-8c1be5a30002"
_CHUNK: Final = 1 << 20


EMERGENCY: Final = b"emergency mode"
"""What systemd's shell says at the console when a start has failed."""


def cpu_seconds(pid: int, proc: Path = Path("/proc")) -> float:
    """Return the processors' time that a process has had, in seconds; 0 for one that is gone."""
    try:
        # the name in brackets may hold blanks
        fields = (proc / str(pid) / "stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gives_up(seconds: float, waited: float, worked: float) -> bool:
    """Tell whether a start has had its time: `seconds` by the clock, and half of them on a processor.

    A guest that hangs without working is given up after four times as long.
    """
    return waited >= seconds and (worked >= seconds / 2 or waited >= 4 * seconds)


class GuestError(AssertionError):
    """The guest did not do what it was asked to."""


@dataclass(frozen=True)
class Machine:
    """What a guest is made of."""

    kernel: Path
    initrd: Path
    folder: Path
    """Where sockets, console and ports' files go."""


class Running:
    """A command that runs in the guest."""

    def __init__(self, guest: Guest, command: str, pid: int) -> None:
        self._guest, self._command, self._pid = guest, command, pid

    def finished(self) -> tuple[int, str] | None:
        """Return exit status and output, or None while it runs."""
        status = self._guest.agent("guest-exec-status", pid=self._pid)
        if not status["exited"]:
            return None
        output = b"".join(base64.b64decode(status.get(name, "")) for name in ("out-data", "err-data"))
        return status.get("exitcode", 128 + status.get("signal", 0)), output.decode("utf-8", "replace")

    def outcome(self, seconds: float) -> tuple[int, str]:
        """Return exit status and output; raise GuestError after `seconds`."""
        deadline = time.monotonic() + seconds
        pause = 0.05
        while (done := self.finished()) is None:
            if time.monotonic() > deadline:
                raise GuestError(f"not within {seconds:g} s: {self._command}")
            time.sleep(pause)
            pause = min(1.0, pause * 1.5)
        return done


class Guest:
    """One virtual machine on one disk. `boots` counts its starts, `resets` what the hardware watchdog did."""

    def __init__(self, machine: Machine, disk: Path, board: str = BOARD) -> None:
        self._machine, self._disk, self._board = machine, disk, board
        self.data: Path | None = None
        """A second disk, `/dev/vdb`: the kernel then mounts the root read-only, as a Pi's does."""
        self._qemu: subprocess.Popen[bytes] | None = None
        self._monitor: JsonSocket | None = None
        self._agent: JsonSocket | None = None
        self._sync = 0
        self.boots = 0
        self.resets: list[str] = []
        self._said_before = 0
        self.console = machine.folder / "console.log"
        self.acked = machine.folder / "acked.log"

    def start(self, snapshot: str = "") -> None:
        """Switch it on, or go on from a snapshot; returns before it is up."""
        folder = self._machine.folder
        self._said_before = self.console.stat().st_size if self.console.exists() else 0
        for name in ("monitor", "agent"):
            (folder / name).unlink(missing_ok=True)
        root = "root=/dev/vda" if self.data else "root=/dev/vda rw"
        command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512",
            "-cpu", "Nehalem", "-smp", "2", "-m", MEMORY,
            "-display", "none", "-nodefaults", "-no-user-config", "-nic", "none", "-uuid", self._board,
            "-kernel", str(self._machine.kernel), "-initrd", str(self._machine.initrd),
            "-append", f"{root} console=ttyS0 mitigations=off panic=10 quiet systemd.show_status=no",
            "-drive", f"file={self._disk},if=virtio,format=qcow2,cache=writeback,discard=unmap",
            "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
            "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-chardev", f"file,id=acked,path={self.acked},append=on",
            "-device", "virtserialport,chardev=acked,name=plainsight.acked",
            "-device", "i6300esb", "-action", "watchdog=reset",
            "-qmp", f"unix:{folder}/monitor,server=on,wait=off",
        ]  # fmt: skip
        if self.data:
            command += ["-drive", f"file={self.data},if=virtio,format=qcow2,cache=writeback"]
        if snapshot:
            command += ["-loadvm", snapshot]
        with (folder / "qemu.log").open("ab") as log:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.boots += 1
        deadline = time.monotonic() + patience(2)
        while self._monitor is None:
            try:
                self._monitor = JsonSocket(folder / "monitor", self._on_event)
                self._agent = JsonSocket(folder / "agent")
            except OSError as error:
                if self._qemu.poll() is not None:
                    raise GuestError(f"QEMU ended: {(folder / 'qemu.log').read_text()[-2000:]}") from error
                if time.monotonic() > deadline:
                    raise GuestError("QEMU opens no monitor") from error
                time.sleep(0.05)
        self._monitor.greeting()
        self._monitor.ask("qmp_capabilities")

    def _on_event(self, message: dict[str, Any]) -> None:
        if message.get("event") == "WATCHDOG":
            self.resets.append(message["data"]["action"])

    def events(self) -> list[str]:
        """Return what the hardware watchdog has done so far."""
        if self._monitor is not None:
            self._monitor.drain()
        return self.resets

    def wait_up(self, seconds: float = 180.0) -> None:
        """Wait until the guest agent answers; raise GuestError with the console's end.

        `seconds` count while the emulator has processors to itself; beside other work it is given the time that it did
        not get. A guest in an emergency shell never comes out of it by itself.
        """
        began = time.monotonic()
        while self._qemu is not None and self._qemu.poll() is None:
            if gives_up(seconds, time.monotonic() - began, cpu_seconds(self._qemu.pid)):
                break
            if EMERGENCY in self._said():
                raise GuestError(f"the guest is in emergency mode; its console ends with {self._console_end()}")
            self._sync += 1
            if self._agent is not None and self._agent.synchronize(self._sync, 2.0):
                return
        raise GuestError(f"the guest does not come up; its console ends with {self._console_end()}")

    def _said(self) -> bytes:
        """Return what the console has said since this start."""
        return self.console.read_bytes()[self._said_before :] if self.console.exists() else b""

    def _console_end(self) -> str:
        return self.console.read_bytes()[-1500:].decode("utf-8", "replace") if self.console.exists() else "nothing"

    def agent(self, command: str, seconds: float = 60.0, /, **arguments: Any) -> Any:
        """Ask the guest agent."""
        if self._agent is None:
            raise GuestError("the guest is off")
        try:
            return self._agent.ask(command, seconds, **arguments)
        except ProtocolError as error:
            raise GuestError(f"{command}: {error}; the console ends with {self._console_end()}") from error

    def spawn(self, command: str) -> Running:
        """Start a shell command as root."""
        found = self.agent(
            "guest-exec", path="/bin/sh", arg=["-c", command],
            env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"], **{"capture-output": True},
        )  # fmt: skip
        return Running(self, command, found["pid"])

    def run(self, command: str, seconds: float = 120.0, status: int | None = 0) -> str:
        """Run a shell command as root and return what it printed; raise GuestError for another exit status."""
        found, said = self.spawn(command).outcome(seconds)
        if status is not None and found != status:
            raise GuestError(f"exit status {found}: {command}: {said[-3000:]}")
        return said

    def write(self, path: str, data: bytes) -> None:
        """Write a file into the guest."""
        handle = self.agent("guest-file-open", path=path, mode="w")
        for start in range(0, len(data), _CHUNK):
            part = base64.b64encode(data[start : start + _CHUNK]).decode("ascii")
            self.agent("guest-file-write", 60.0, handle=handle, **{"buf-b64": part})
        self.agent("guest-file-close", handle=handle)

    def read(self, path: str) -> bytes:
        """Read a file of the guest."""
        handle = self.agent("guest-file-open", path=path, mode="r")
        data = b""
        while True:
            part = self.agent("guest-file-read", handle=handle, count=_CHUNK)
            data += base64.b64decode(part["buf-b64"])
            if part["eof"]:
                break
        self.agent("guest-file-close", handle=handle)
        return data

    def save(self, snapshot: str) -> None:
        """Keep memory and disk as they are now under a name."""
        if self._monitor is None:
            raise GuestError("the guest is off")
        said = self._monitor.ask("human-monitor-command", 300, **{"command-line": f"savevm {snapshot}"})
        if said.strip():
            raise GuestError(f"savevm: {said}")

    def cut_power(self) -> None:
        """End it as a pulled plug does."""
        if self._qemu is not None:
            self._qemu.send_signal(signal.SIGKILL)
            self._qemu.wait()
        self._disconnect()

    def power_off(self, seconds: float = 180.0) -> None:
        """Shut it down in good order."""
        self.agent("guest-exec", path="/usr/bin/systemctl", arg=["poweroff"])
        try:
            if self._qemu is not None:
                self._qemu.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise GuestError(f"it does not shut down; the console ends with {self._console_end()}") from error
        self._disconnect()

    def _disconnect(self) -> None:
        for connection in (self._monitor, self._agent):
            if connection is not None:
                connection.close()
        self._monitor = self._agent = self._qemu = None


def overlay(base: Path, made: Path) -> Path:
    """Make a disk that keeps only what differs from `base`."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(made)], check=True)
    return made


def blank(made: Path, size: str) -> Path:
    """Make an empty disk."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(made), size], check=True)
    return made


def copy(disk: Path, made: Path) -> Path:
    """Copy a disk with its snapshots, as cheaply as the file system can."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", str(disk), str(made)], check=True)
    return made
