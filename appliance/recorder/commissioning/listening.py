"""Listens to the room once, with the red lamp lit (promise 1).

It opens the microphone as the recorder does: through a capture process that needs the token of the lit lamp, closes the
microphone by itself when the heartbeat stops, and dies with this process. PortAudio is never used here.
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
"""The first seconds are dropped: a microphone clicks when its supply comes on."""
APPEAR_S: Final = 6.0
"""A microphone that the lamp's current switches on may take this long to appear, in seconds."""
_REAP_S: Final = 2.0


class Listening:
    """Lamp, ring and one capture process at a time; leaving closes the microphone, then switches the lamp off."""

    def __init__(
        self, panel_loop: PanelLoop, tell: Callable[[str], None], module: str = "appliance.recorder.capture.process"
    ) -> None:
        """Start nothing yet; `tell` shows a message to the installer, `module` is that of the capture process."""
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
        """Switch the lamp on, open the microphone, return `seconds` of samples; call `look` while it is open.

        Raises LampError or CommissioningError if the lamp is not seen, DeviceError if the microphone gives no sound,
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
        """Start a capture process; it opens no device before it is told to."""
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
        """Send the heartbeat while the lamp is lit; otherwise stop it, so that capture closes the microphone."""
        if not token.valid:
            self._ring.clear_heartbeat()
            raise LampError(
                "the red lamp went out while the box listened; check the lamp and its sensor", field="lamp-sensor"
            )
        self._ring.write_heartbeat(time.monotonic_ns())

    def _run_once(self, capture: Capture, token: LitToken) -> str | None:
        """Send a heartbeat and wait a little; return why capture gave up, if it did."""
        self._send_heartbeat(token)
        self._panel_loop.run_once(self._panel_loop.settings.times.heartbeat_s / 2, capture.control)
        for message in capture.messages():
            if isinstance(message, CaptureFailed):
                return message.message
            if isinstance(message, MicrophoneClosed):
                return "the microphone was closed too early; read the messages of the capture process"
        return "the capture process ended by itself; read its messages" if capture.silent else None

    def _opened(self, capture: Capture, token: LitToken, patience_s: float) -> str | None:
        """Wait for the first block, `patience_s` at most; return why there is none."""
        consumer = Consumer(self._ring)
        end = time.monotonic() + patience_s
        while not consumer.waiting():
            why = self._run_once(capture, token)
            if why is not None:
                return why
            if time.monotonic() >= end:
                return "the microphone was opened but gives no sound; plug it in again, or try another"
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
                    raise DeviceError("the sound was damaged in memory; try again, and report it", field="microphone")
                last = time.monotonic()
            if time.monotonic() - last >= self._panel_loop.settings.times.stall_s:
                raise by_table("microphone-stalled", "microphone")
        return np.frombuffer(b"".join(parts), "<i2")[skip : skip + wanted].astype(np.int16)

    def _close(self) -> None:
        """Close the microphone, or kill the capture process; the lamp stays lit until that process is gone."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        try:
            self._ask_to_close(capture)
        finally:
            self._ring.clear_heartbeat()
            capture.kill()
            while not capture.ended(_REAP_S):
                # the microphone may still be open, so the lamp must stay lit, whatever signal came
                self._tell("The microphone could not be closed: unplug it. The red lamp stays lit until it is closed.")

    def _ask_to_close(self, capture: Capture) -> None:
        capture.close()
        end = time.monotonic() + self._panel_loop.settings.times.close_s
        closed = False
        while not closed and not capture.silent and (left := end - time.monotonic()) > 0:
            capture.control.wait(left)
            closed = any(isinstance(message, MicrophoneClosed) for message in capture.messages())
