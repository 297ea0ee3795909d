"""Listening to a quiet room, once, with the red lamp lit (promise 1).

The way to the microphone is the recorder's own: a capture process that opens it only with the lit lamp's token, closes
it by itself when the lamp is not vouched for any more, and dies with this process. There is no PortAudio here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from appliance.contract.errors import DeviceError
from appliance.recorder.ipc.child_process import Capture
from appliance.recorder.ipc.messages import CaptureFailed, CaptureReady, MicrophoneClosed
from appliance.recorder.ipc.ring import Consumer, Ring
from appliance.recorder.panel.lamp_token import LampError, LitToken

from .panel_loop import PanelLoop, by_table

Samples = npt.NDArray[np.int16]
SETTLE_S: Final = 1.0
"""What comes first is not kept, in seconds: a microphone whose supply has just come on clicks."""
APPEAR_S: Final = 6.0
"""A microphone that the lamp's current switches on may take this long to be there, in seconds."""
_REAP_S: Final = 2.0


class Listening:
    """The lamp, one capture process at a time, its ring; leaving it closes the microphone, then darkens the lamp."""

    def __init__(
        self, panel_loop: PanelLoop, tell: Callable[[str], None], module: str = "appliance.recorder.capture.process"
    ) -> None:
        """Start nothing yet; `tell` says what a person must know, `module` is the capture process's."""
        self._panel_loop = panel_loop
        self._tell = tell
        self._module = module
        self._rate = panel_loop.settings.microphone.rate
        self._ring = Ring.create(self._rate)
        self._capture: Capture | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
        finally:
            self._panel_loop.switch_lamp_off()
            self._ring.close()
            os.close(self._ring.descriptor)

    def listen(self, seconds: float, look: Callable[[], None] = lambda: None) -> Samples:
        """Light the lamp, open the microphone and return `seconds` of what it gives; call `look` while it is open.

        Raises LampError or CommissioningError if the lamp is not seen, DeviceError if the microphone gives nothing,
        StoppedError after a signal.
        """
        capture = self._start_capture()
        self._panel_loop.switch_lamp_on()
        token = self._panel_loop.lamp.token()
        give_up_at = time.monotonic() + APPEAR_S
        patience_s = self._panel_loop.settings.times.first_block_s
        while True:
            self._send_heartbeat(token)
            capture.open(token, self._panel_loop.settings.microphone.device, 1)
            why = self._opened(capture, token, patience_s)
            if why is None:
                return self._collect(capture, token, seconds, look)
            if time.monotonic() >= give_up_at:
                raise DeviceError(why, field="microphone")
            self._close()
            capture = self._start_capture()
            patience_s *= 2

    def _start_capture(self) -> Capture:
        """Start a capture process; it touches no sound before it is told to open."""
        try:
            self._capture = capture = Capture.spawn(
                "capture", self._module, self._ring.descriptor, self._panel_loop.settings.capture_arguments()
            )
        except OSError as error:
            raise DeviceError(f"the capture process cannot be started: {error}", field="microphone") from error
        end = time.monotonic() + self._panel_loop.settings.times.warm_s
        while time.monotonic() < end:
            for message in capture.messages():
                if isinstance(message, CaptureReady):
                    return capture
                if isinstance(message, CaptureFailed):
                    raise DeviceError(message.message, field="microphone")
            if capture.silent:
                break
            self._panel_loop.run_once(0.1, capture.control)
        raise by_table("capture-died", "microphone")

    def _send_heartbeat(self, token: LitToken) -> None:
        """Vouch for the lamp, or let go of the microphone."""
        if not token.valid:
            self._ring.clear_heartbeat()
            raise LampError("the red lamp went dark while the box listened; check the lamp and its sensor")
        self._ring.write_heartbeat(time.monotonic_ns())

    def _run_once(self, capture: Capture, token: LitToken) -> str | None:
        """Keep the lamp vouched for, wait a little; return why capture gave up, if it did."""
        self._send_heartbeat(token)
        self._panel_loop.run_once(self._panel_loop.settings.times.heartbeat_s / 2, capture.control)
        for message in capture.messages():
            if isinstance(message, CaptureFailed):
                return message.message
            if isinstance(message, MicrophoneClosed):
                return "the microphone was closed before its time; read what the capture process said"
        return "the capture process ended by itself; read what it said" if capture.silent else None

    def _opened(self, capture: Capture, token: LitToken, patience_s: float) -> str | None:
        """Wait for the first block, `patience_s` at most; return why there is none."""
        consumer = Consumer(self._ring)
        end = time.monotonic() + patience_s
        while not consumer.waiting():
            why = self._run_once(capture, token)
            if why is not None:
                return why
            if time.monotonic() >= end:
                return "the microphone was opened and gives no sound; plug it in again, or try another"
        return None

    def _collect(self, capture: Capture, token: LitToken, seconds: float, look: Callable[[], None]) -> Samples:
        consumer = Consumer(self._ring)
        skip, wanted = round(SETTLE_S * self._rate), round(seconds * self._rate)
        parts: list[bytes] = []
        frames, last = 0, time.monotonic()
        look()
        while frames < skip + wanted:
            why = self._run_once(capture, token)
            if why is not None:
                raise DeviceError(why, field="microphone")
            while (block := consumer.read()) is not None:
                parts.append(block.data)
                frames += block.frames
                if block.damaged:
                    raise DeviceError("sound arrived damaged in memory; try again, and report it", field="microphone")
                last = time.monotonic()
            if time.monotonic() - last >= self._panel_loop.settings.times.stall_s:
                raise by_table("microphone-stalled", "microphone")
        return np.frombuffer(b"".join(parts), "<i2")[skip : skip + wanted].astype(np.int16)

    def _close(self) -> None:
        """Close the microphone, or kill who holds it; the lamp is lit until the process is gone."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        try:
            self._ask_to_close(capture)
        finally:
            self._ring.clear_heartbeat()
            capture.kill()
            while not capture.ended(_REAP_S):
                # it may still hear, so the lamp must not go out, whatever signal came
                self._tell("The microphone could not be closed: unplug it. The red lamp stays lit until it is closed.")

    def _ask_to_close(self, capture: Capture) -> None:
        capture.close()
        end = time.monotonic() + self._panel_loop.settings.times.close_s
        closed = False
        while not closed and not capture.silent and (left := end - time.monotonic()) > 0:
            capture.control.wait(left)
            closed = any(isinstance(message, MicrophoneClosed) for message in capture.messages())
