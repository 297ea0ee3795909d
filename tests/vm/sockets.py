"""QEMU's two protocols, both JSON in lines: the monitor's (QMP) and the guest agent's."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_LINE: Final = 1 << 16
_SEND_S: Final = 10.0
"""A command is taken within this time, in seconds, unless nobody reads."""


class ProtocolError(Exception):
    """The other side refused a command, or is gone."""


class JsonSocket:
    """One connection; answers come in the order of the commands."""

    def __init__(self, path: Path, on_event: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._on_event = on_event
        self._left = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> None:
        """Send a command."""
        message = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._send(json.dumps(message).encode() + b"\n")

    def _send(self, data: bytes) -> None:
        try:
            # the last answer's timeout is not this one's
            self._socket.settimeout(_SEND_S)
            self._socket.sendall(data)
        except OSError as error:
            raise ProtocolError(f"QEMU is gone: {error}") from error

    def answer(self, seconds: float) -> Any:
        """Return what the last command returned; raise ProtocolError if it was refused, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            message = self._message(deadline)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise ProtocolError(message["error"]["desc"])
            self._on_event(message)

    def ask(self, command: str, seconds: float = 60.0, /, **arguments: Any) -> Any:
        """Send a command and return its answer."""
        self.send(command, **arguments)
        return self.answer(seconds)

    def greeting(self, seconds: float = 60.0) -> None:
        """Take the monitor's first message, which answers nothing."""
        self._message(time.monotonic() + seconds)

    def drain(self) -> None:
        """Deliver the events that have arrived."""
        while True:
            try:
                message = self._message(time.monotonic())
            except ProtocolError:
                return
            self._on_event(message)

    def synchronize(self, number: int, seconds: float) -> bool:
        """Throw away old answers of a guest agent (guest-sync-delimited); tell whether it answered."""
        asked = json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": number}}).encode()
        deadline = time.monotonic() + seconds
        try:
            self._send(b"\xff" + asked)
            while time.monotonic() < deadline:
                if self._message(deadline).get("return") == number:
                    return True
        except ProtocolError:
            # no agent reads yet
            return False
        return False

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._left:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(_LINE)
            except TimeoutError as error:
                raise ProtocolError("no answer in time") from error
            except OSError as error:
                raise ProtocolError(f"QEMU is gone: {error}") from error
            if not data:
                raise ProtocolError("QEMU is gone")
            self._left += data
        line, _, self._left = self._left.partition(b"\n")
        message: dict[str, Any] = json.loads(line.lstrip(b"\xff"))
        return message
