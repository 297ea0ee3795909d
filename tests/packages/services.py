"""The installed programs in a clean root, each as the user of its unit, where no systemd starts them.

A network and process numbers of their own: their ports meet nobody else's, and the end of it ends every one of them.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.waiting import TimedOutError, until

from .root import NotHeldError, Root

_LOOPBACK: Final = """
import fcntl, signal, socket, struct
# SIOCSIFFLAGS, IFF_UP: a new network has its loopback down
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))
print("up", flush=True)
signal.pause()
"""
PATIENCE_S: Final = 180.0
"""Longest wait for one thing, in seconds; enough for a busy machine."""


class Services:
    """Programs that run until the end of the `with`."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._first: subprocess.Popen[bytes] | None = None
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._first = subprocess.Popen(
            ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", f"--root={self._root.folder}",
             "--mount-proc", "python3", "-c", _LOOPBACK],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        )  # fmt: skip
        if self._first.stdout is None or self._first.stdout.readline() != b"up\n":
            raise NotHeldError("there is no network of their own")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first is not None:
            # --kill-child: the first process of the namespace goes with it, and with that one all others
            self._first.kill()
            self._first.wait()
        for process in self._started.values():
            process.kill()
            process.wait()

    def run(self, command: str, user: str = "root", *, status: int | None = 0) -> str:
        """Run a shell command beside them; return what it printed. Raises NotHeldError for another exit status."""
        return self._root.run(command, status=status, within=self._within(user))

    def start(self, name: str, command: str, user: str, **environment: str) -> None:
        """Start a program; what it says goes into /tmp/NAME.log of the root."""
        words = " ".join(f"{key}={value}" for key, value in environment.items())
        log = self._root.path(f"/tmp/{name}.log").open("wb")
        with log:
            self._started[name] = subprocess.Popen(
                [*self._within(user), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                 "PYTHONDONTWRITEBYTECODE=1", "sh", "-c", f"{words} exec {command}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it holds; raise NotHeldError with what they said if one of them ended, or nobody would wait on."""
        try:
            until(holds, what, PATIENCE_S, alive=lambda: not self._ended(), pause=lambda: time.sleep(0.2))
        except TimedOutError as error:
            raise NotHeldError(f"{error}; they said: {self.said(*self._ended())}") from error

    def _ended(self) -> list[str]:
        return [name for name, process in self._started.items() if process.poll() is not None]

    def said(self, *names: str) -> str:
        """Return the end of what they said."""
        logs = {name: self._root.path(f"/tmp/{name}.log") for name in names or self._started}
        return " ".join(f"[{name}] {path.read_text(errors='replace')[-800:]}" for name, path in logs.items())

    def _within(self, user: str) -> list[str]:
        """Return what enters the namespaces as a user."""
        if self._first is None:
            raise NotHeldError("nothing runs yet")
        # the first process in there, as this machine counts
        inside = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text("ascii").strip()
        enter = ["nsenter", "--target", inside, "--net", "--pid", "--mount", "--root", "--wdns=/"]
        return [*enter, "setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user != "root" else enter
