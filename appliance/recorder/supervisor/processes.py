"""The supervisor's children over time: one capture process and one writer at a time; starts, reads, kills, reaps them.

Everything runs in the supervisor's main loop. A child's messages, and its death, become events of the state machine.
A capture process that has closed its device is retired: it has a second to exit, and is then killed.
"""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.recorder.ipc.child_process import Capture, Child
from appliance.recorder.ipc.messages import (
    FromCapture,
    FromWriter,
    Message,
    MessageError,
    MicrophoneClosed,
    StopWriter,
)
from appliance.recorder.panel.lamp_token import LitToken

from .machine import events

_log = logging.getLogger(__name__)
_RETIRE_NS = 1_000_000_000
_KILLED_S = 2.0


@dataclass(frozen=True)
class Programs:
    """Which modules the children run."""

    writer_arguments: tuple[str, ...] = ()
    """Arguments of the writer beside its descriptors."""
    capture_arguments: tuple[str, ...] = ()
    """Arguments of the capture process beside its descriptors."""
    capture: str = "appliance.recorder.capture.process"
    """Module of the capture process."""
    writer: str = "appliance.recorder.writer.process"
    """Module of the writer process."""
    code: Path | None = None
    """Where our code is taken from; None: from where the supervisor's own lies."""


class Processes:
    """Capture and writer."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        ring_fd: int,
        programs: Programs,
        dispatch: Callable[[events.AnyEvent], None],
    ) -> None:
        self._selector = selector
        self._ring_fd = ring_fd
        self._programs = programs
        self._dispatch = dispatch
        self._capture: Capture | None = None
        self.writer: Child | None = None
        """The running writer, which the supervisor sends its messages."""
        self._retired: dict[Capture, int] = {}

    def spawn_capture(self) -> None:
        """Start the next capture process."""
        programs = self._programs
        try:
            capture = Capture.spawn(
                "capture", programs.capture, self._ring_fd, programs.capture_arguments, programs.code
            )
        except OSError as error:
            _log.warning("the capture process cannot be started: %s", error)
            self._dispatch(events.CaptureDied(time.monotonic_ns()))
            return
        self._capture = capture
        self._selector.register(capture.control, selectors.EVENT_READ, lambda: self._read_capture(capture))
        self._selector.register(capture.pidfd, selectors.EVENT_READ, lambda: self._capture_ended(capture))

    def open_capture(self, token: LitToken, device: str, generation: int) -> None:
        """Let it open the microphone."""
        if self._capture is not None:
            self._capture.open(token, device, generation)

    def close_capture(self) -> None:
        """Ask it to close the microphone."""
        if self._capture is not None:
            self._capture.close()

    def kill_capture(self) -> None:
        """Kill it; its death becomes an event."""
        if self._capture is not None:
            self._capture.kill()

    def start_writer(self) -> None:
        """Start a writer."""
        programs = self._programs
        try:
            writer = Child.spawn("writer", programs.writer, self._ring_fd, programs.writer_arguments, programs.code)
        except OSError as error:
            _log.warning("the writer process cannot be started: %s", error)
            self._dispatch(events.WriterDied(time.monotonic_ns()))
            return
        self.writer = writer
        self._selector.register(writer.control, selectors.EVENT_READ, lambda: self._read_writer(writer))
        self._selector.register(writer.pidfd, selectors.EVENT_READ, lambda: self._writer_ended(writer))

    def kill_writer(self) -> None:
        """Kill it; its death becomes an event."""
        if self.writer is not None:
            self.writer.kill()

    def maintain(self, now_ns: int) -> None:
        """Send the messages that wait; kill retired processes that do not exit."""
        for child in (self._capture, self.writer):
            if child is not None:
                child.flush()
        for capture, since_ns in self._retired.items():
            if now_ns - since_ns > _RETIRE_NS:
                capture.kill()

    def stop_capture(self) -> bool:
        """Kill and reap every capture process, so that its device is closed; return whether all are gone."""
        captures = [*self._retired, *([self._capture] if self._capture is not None else [])]
        for capture in captures:
            capture.kill()
        left = [capture for capture in captures if not capture.ended(_KILLED_S)]
        for capture in left:
            _log.error("the capture process %d does not die; unplug the microphone", capture.process.pid)
        return not left

    def stop_writer(self, timeout_s: float) -> None:
        """Let the writer finish what it is writing; kill it if that takes too long."""
        writer = self.writer
        if writer is None:
            return
        writer.send(StopWriter())
        if not writer.ended(timeout_s):
            _log.warning("the writer process did not exit in time and is killed")
            writer.kill()
            writer.ended(_KILLED_S)

    def _read_capture(self, capture: Capture) -> None:
        for message in capture.messages():
            now_ns = time.monotonic_ns()
            if not isinstance(message, FromCapture):
                self._refuse(capture, message)
                continue
            closed = isinstance(message, MicrophoneClosed)
            if closed:
                self._unregister(capture)
                self._retired[capture] = now_ns
                self._capture = None
            self._dispatch(events.CaptureReported(now_ns, message))
            if closed:
                return
        if capture.silent:
            self._unregister(capture)

    def _refuse(self, child: Child, message: Message | MessageError) -> None:
        why = message.message if isinstance(message, MessageError) else f"{message.kind} is not for the supervisor"
        self._dispatch(events.MessageRefused(time.monotonic_ns(), f"the {child.name} process: {why}"))

    def _unregister(self, child: Child) -> None:
        if child.control in self._selector.get_map():
            self._selector.unregister(child.control)

    def _capture_ended(self, capture: Capture) -> None:
        if capture is self._capture:
            self._read_capture(capture)
        self._unregister(capture)
        self._selector.unregister(capture.pidfd)
        status = capture.reap()
        if capture is self._capture:
            self._capture = None
            _log.info("the capture process ended with status %d", status)
            self._dispatch(events.CaptureDied(time.monotonic_ns()))
        else:
            del self._retired[capture]

    def _read_writer(self, writer: Child) -> None:
        for message in writer.messages():
            if isinstance(message, FromWriter):
                self._dispatch(events.WriterReported(time.monotonic_ns(), message))
            else:
                self._refuse(writer, message)
        if writer.silent:
            self._unregister(writer)

    def _writer_ended(self, writer: Child) -> None:
        self._read_writer(writer)
        self._unregister(writer)
        self._selector.unregister(writer.pidfd)
        self.writer = None
        _log.warning("the writer process ended with status %d", writer.reap())
        self._dispatch(events.WriterDied(time.monotonic_ns()))
