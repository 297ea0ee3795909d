"""Capture and writer as child processes: started by exec, spoken to over a socket, killed and reaped by their number.

All of it runs in the supervisor's main loop, and in its main thread alone: the kernel ties a child's life to the
thread that started it. A child that takes no messages cannot stop the supervisor: they wait in a bounded queue.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from appliance.recorder.panel.lamp_token import LitToken

from .message_channel import ChannelStalledError, MessageChannel
from .messages import CloseMicrophone, Message, MessageError, OpenMicrophone

_log = logging.getLogger(__name__)
MAX_WAITING = 4096
"""Most messages that wait for a child; a writer that hangs for half a minute is sent far fewer."""
_ROOT = Path(__file__).resolve().parents[3]


class Child:
    """One child process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], control: MessageChannel) -> None:
        self.name = name
        self.process = process
        self.control = control
        self.pidfd = os.pidfd_open(process.pid)
        """Readable once the process and all its threads are gone, its devices closed."""
        self.silent = False
        """It closed its end of the socket."""
        self._waiting: deque[Message] = deque()

    @classmethod
    def spawn(
        cls, name: str, module: str, ring_fd: int, arguments: Sequence[str] = (), code: Path | None = None
    ) -> Self:
        """Start `python -m module` in '/', with the ring and a control socket; `code`: where our code is taken from."""
        control, theirs = MessageChannel.pair()
        try:
            with theirs:
                command = [
                    sys.executable,
                    "-m",
                    module,
                    "--ring-fd",
                    str(ring_fd),
                    "--control-fd",
                    str(theirs.fileno()),
                ]
                process = subprocess.Popen(
                    [*command, *arguments],
                    pass_fds=(ring_fd, theirs.fileno()),
                    cwd="/",
                    env={**os.environ, "PYTHONPATH": _search_path(code)},
                    stdin=subprocess.DEVNULL,
                )
        except OSError:
            control.close()
            raise
        return cls(name, process, control)

    def send(self, message: Message) -> None:
        """Send, or keep for later in order. A child that leaves too many unread is killed: none may be left out."""
        self._waiting.append(message)
        self.flush()
        if len(self._waiting) > MAX_WAITING:
            _log.error("the %s process leaves %d messages unread and is killed", self.name, len(self._waiting))
            self._waiting.clear()
            self.kill()

    def flush(self) -> None:
        """Send what waits, as far as the child takes it."""
        while self._waiting:
            try:
                self.control.send(self._waiting[0])
            except ChannelStalledError:
                return
            except EOFError:
                # its death is seen by its pidfd; what waits is of no use to anyone
                self._waiting.clear()
                return
            self._waiting.popleft()

    def messages(self) -> Iterator[Message | MessageError]:
        """Yield every message that is there, and for a packet that is none the error that says why."""
        while True:
            try:
                message = self.control.receive()
            except EOFError:
                self.silent = True
                return
            except MessageError as error:
                yield error
                continue
            if message is None:
                return
            yield message

    def kill(self) -> None:
        """Send SIGKILL; the pidfd tells when it worked."""
        self.process.kill()

    def ended(self, timeout_s: float) -> bool:
        """Wait for its end; let go of it and return True if that came in time. Only for stopping."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self.reap()
        return True

    def reap(self) -> int:
        """Return the status of a process that is gone, and let go of everything."""
        status = self.process.wait()
        self.control.close()
        os.close(self.pidfd)
        return status


class Capture(Child):
    """The capture process: it opens one microphone once."""

    def open(self, token: LitToken, device: str, generation: int) -> None:
        """Let it open the microphone; only with the token of a lit lamp."""
        token.require()
        self.send(OpenMicrophone(device=device, generation=generation))

    def close(self) -> None:
        """Ask it to close the microphone."""
        self.send(CloseMicrophone())


def _search_path(code: Path | None = None) -> str:
    # the child works in '/', where a source tree that was not installed would not be found
    paths = [str(code or ""), str(_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(path for path in paths if path))
