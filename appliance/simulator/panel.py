"""The recorder's side of the simulated front panel.

Concurrency: one thread, `panel`, reads the socket and calls `on_event`, which only enqueues; the supervisor's loop
writes. `close` shuts the socket, which ends the thread, and joins it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from appliance.contract.errors import DeviceError
from appliance.contract.status import Light
from appliance.recorder.panel.base import PanelEvent, PanelEventKind

CONNECT_S = 5.0
"""Longest wait for the simulator's socket, in seconds."""


def connect(path: Path) -> socket.socket:
    """Return a connection to the simulator; raise DeviceError that says what to do if nobody answers."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(CONNECT_S)
    try:
        line.connect(str(path))
    except OSError as error:
        line.close()
        raise DeviceError(
            f"the simulated front panel does not answer at {path} ({error.strerror}); "
            "start it with 'plainsight simulator'"
        ) from error
    return line


class SimulatedPanel:
    """A front panel behind the simulator's panel.sock."""

    kind: Literal["simulated"] = "simulated"

    def __init__(self, path: Path, lamp_sensed: bool = True) -> None:
        """Connect; `lamp_sensed` tells whether the simulator pretends a sensor in the lamp."""
        self.lamp_sensed = lamp_sensed
        self._line = connect(path)
        self._thread: threading.Thread | None = None

    def start(self, on_event: Callable[[PanelEvent], None]) -> None:
        """Put all lights out and begin to report."""
        self._line.settimeout(None)
        self._thread = threading.Thread(target=self._read, args=(on_event,), name="panel", daemon=True)
        self._thread.start()
        self._send({"red": False, "green": "off", "amber": "off"})

    def set_red(self, lit: bool) -> int:
        """Switch the red lamp; return when it was commanded."""
        now = time.monotonic_ns()
        self._send({"red": lit})
        return now

    def set_green(self, mode: Light) -> None:
        """Set the green light."""
        self._send({"green": mode})

    def set_amber(self, mode: Light, blinks: int = 0) -> None:
        """Set the amber light and its code."""
        self._send({"amber": mode, "blinks": blinks})

    def close(self) -> None:
        """Put the lights out and hang up."""
        self._send({"red": False, "green": "off", "amber": "off"})
        with contextlib.suppress(OSError):  # the simulator may have hung up first
            self._line.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join(CONNECT_S)
        self._line.close()

    def _send(self, command: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the reading thread notices the same and reports `panel-lost`
            self._line.sendall(json.dumps(command).encode() + b"\n")

    def _read(self, on_event: Callable[[PanelEvent], None]) -> None:
        with self._line.makefile("rb") as lines:
            try:
                for line in lines:
                    event = _event(json.loads(line))
                    if event is not None:
                        on_event(event)
            except OSError:
                pass  # reported below
        on_event(PanelEvent("panel-lost", time.monotonic_ns()))


def _event(message: dict[str, Any]) -> PanelEvent | None:
    kind: PanelEventKind
    match message:
        case {"button": "down"}:
            kind = "button-down"
        case {"button": "found-down"}:
            kind = "button-found-down"
        case {"button": "up"}:
            kind = "button-up"
        case {"lamp_seen": bool(seen)}:
            kind = "lamp-seen" if seen else "lamp-unseen"
        case {"rail": bool(on)}:
            kind = "rail-on" if on else "rail-off"
        case {"error": str(_)}:
            kind = "panel-lost"
        case _:
            return None
    return PanelEvent(kind, int(message.get("t_ns", time.monotonic_ns())))


def lamps_out(path: Path) -> None:
    """Put the simulated panel's lights out and wait until it says so; raise DeviceError if it does not answer."""
    line = connect(path)
    try:
        line.sendall(b'{"lamps_out": true}\n')
        if not line.recv(1):
            raise DeviceError(f"the simulated front panel at {path} hung up; restart 'plainsight simulator'")
    except OSError as error:
        raise DeviceError(f"the simulated front panel at {path} does not answer: {error}") from error
    finally:
        line.close()
