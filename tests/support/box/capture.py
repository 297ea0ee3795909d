"""A real capture process under a test's control, and a witness of its own to every open handle of the microphone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, TypeVar

from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.messages import CaptureReady, Message, MicrophoneOpening, OpenMicrophone
from appliance.recorder.ipc.ring import Ring
from appliance.simulator.microphone.device import DEVICE, SimulatedMicrophone
from tests.support.box.folder import ROOT
from tests.support.waiting import until

Report = TypeVar("Report", bound=Message)


class Witness:
    """Listens where the test microphone reports each open handle, and keeps the log."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(64)
        self.log: list[dict[str, Any]] = []
        self.open = 0
        self.last_close_ns = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, name="witness")]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                self.open += 1
            self._threads.append(threading.Thread(target=self._listen, args=(line,), name="witness-line"))
            self._threads[-1].start()

    def _listen(self, line: socket.socket) -> None:
        with line, line.makefile() as file:
            for text in file:
                with self._lock:
                    self.log.append(json.loads(text))
        with self._lock:
            self.open -= 1
            self.last_close_ns = time.monotonic_ns()

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return [entry for entry in self.log if entry["device"] == kind]

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(60)


class CaptureProcess:
    """A real capture; this test is its supervisor."""

    def __init__(
        self,
        microphone: SimulatedMicrophone,
        *,
        parent: list[str] | None = None,
        rate: int = 48000,
        stale_s: float = 0.5,
        close_s: float = 0.15,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.ring = Ring.create(rate)
        self.control, theirs = MessageChannel.pair()
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(parent or []), sys.executable, "-m", "appliance.recorder.capture.process",
                    "--ring-fd", str(self.ring.descriptor), "--control-fd", str(theirs.fileno()),
                    f"--stale-s={stale_s}", f"--close-s={close_s}", *arguments,
                ],
                pass_fds=(self.ring.descriptor, theirs.fileno()), cwd=ROOT,
                env={**os.environ, **microphone.environment},
            )  # fmt: skip
        self._beating = threading.Event()
        self._heart: threading.Thread | None = None

    def light(self) -> None:
        """Vouch for a lit lamp until `darken` or `stop_heart`."""
        self._beating.set()
        self.ring.write_heartbeat(time.monotonic_ns())
        self._heart = threading.Thread(target=self._beat, name="heart")
        self._heart.start()

    def _beat(self) -> None:
        while self._beating.is_set():
            self.ring.write_heartbeat(time.monotonic_ns())
            time.sleep(0.05)

    def stop_heart(self) -> None:
        self._beating.clear()
        if self._heart:
            self._heart.join()

    def receive(self, kind: type[Report], seconds: float = 15.0) -> Report:
        message = self.control.receive(seconds)
        assert message is not None, f"no {kind.__name__} within {seconds} s"
        assert isinstance(message, kind), message
        return message

    def start(self, device: str = DEVICE, generation: int = 1) -> None:
        self.receive(CaptureReady)
        self.control.send(OpenMicrophone(device=device, generation=generation))

    def running(self, device: str = DEVICE) -> None:
        self.light()
        self.start(device)
        self.receive(MicrophoneOpening)
        until(lambda: self.ring.write_seq >= 3, "blocks arrive")

    def finish(self) -> None:
        self.stop_heart()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.control.close()
