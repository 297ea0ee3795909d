"""The courier as a whole: what it starts, how it ends.

Concurrency: the main thread uploads; the thread `herald` (herald.py) publishes. Neither waits for the other. A defect
that ends the herald ends the process with status 1, so that systemd starts it afresh, instead of leaving it half dead.
SIGTERM and SIGINT end both.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any

from appliance.contract.durable_files import replace
from appliance.contract.errors import SettingsError
from appliance.contract.status import CourierProgress
from appliance.contract.stop_signal import StopSignal
from appliance.contract.version import software

from .mqtt.connection import tls_context
from .mqtt.status_publisher import StatusPublisher
from .settings import CourierSettings
from .status_reader import StatusReader
from .upload.archive_client import ArchiveClient
from .upload.uploader import Uploader

RETOLD_S = 5.0
"""How often progress.json is written without a change, in seconds."""
_log = logging.getLogger(__name__)


class Courier:
    """Runs until it is told to stop."""

    def __init__(self, settings: CourierSettings) -> None:
        """Check what can be checked before anything starts; raise SettingsError otherwise."""
        self._settings = settings
        self._stop = StopSignal()
        self._failed = False
        self._told: tuple[CourierProgress | None, float] = (None, 0.0)
        self._client = ArchiveClient(settings, self._stop)
        tls_context(settings.broker)
        self._prepare_state()
        run, box = settings.spool.run, settings.box.id
        self._herald = StatusPublisher(settings, StatusReader(run, box), software())
        self._uploader = Uploader(settings, self._client, StatusReader(run, box), self._herald.tell)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; return the exit status."""
        with self._stop.listening():
            threading.excepthook = self._on_defect
            self._herald.start()
            notify("READY=1")
            _log.info("courier of %s: archive %s", self._settings.box.id, self._settings.archive.url)
            try:
                self._work()
            finally:
                notify("STOPPING=1")
                self._stop.set()
                self._herald.stop()
                self._client.close()
        return 1 if self._failed else 0

    def _work(self) -> None:
        while not self._stop.is_set():
            pause = self._uploader.run_pass()
            self._report()
            notify("WATCHDOG=1")
            if pause:
                self._stop.wait(pause)

    def _report(self) -> None:
        """Write progress.json when it has changed or is getting old; not durable, since it is only a report."""
        progress = self._uploader.progress(broker=self._herald.up)
        said, said_at = self._told
        unchanged = said is not None and said == progress.model_copy(update={"monotonic_ns": said.monotonic_ns})
        now = time.monotonic()
        if unchanged and now - said_at < RETOLD_S:
            return
        self._told = (progress, now)
        try:
            self._write(progress)
        except OSError as error:
            _log.warning("progress.json cannot be written: %s; uploads go on", error.strerror)

    def _write(self, progress: CourierProgress) -> None:
        path = self._settings.state.path / "progress.json"
        replace(path, progress.model_dump_json().encode() + b"\n", mode=0o644, durable=False)

    def _prepare_state(self) -> None:
        path = self._settings.state.path
        try:
            path.mkdir(mode=0o755, exist_ok=True)
            self._write(CourierProgress(monotonic_ns=time.monotonic_ns(), broker="down", archive="down"))
        except OSError as error:
            raise SettingsError(
                f"cannot write into {path}: {error.strerror}; make it a folder of the courier's own user",
                field="state.path",
            ) from error

    def _on_defect(self, details: Any) -> None:
        error: BaseException = details.exc_value
        trace: TracebackType | None = details.exc_traceback
        _log.critical(
            "a defect ended the thread %s; please report it", details.thread, exc_info=(type(error), error, trace)
        )
        self._failed = True
        self._stop.set()


def notify(text: str) -> None:
    """Tell systemd, if it started this process (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.send(text.encode())
    except OSError as error:
        _log.debug("systemd cannot be told %s: %s", text, error)
