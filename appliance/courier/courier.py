"""The courier as a whole: what it starts, how it ends.

Concurrency: the main thread uploads; the thread `status-publisher` (mqtt/status_publisher.py) publishes; each request
to the archive has a thread that bounds it (upload/request_guard.py). Upload and publishing do not wait for each other.
A defect that ends a thread ends the process with status 1, so that systemd starts it afresh, instead of leaving it half
dead. SIGTERM and SIGINT end all of it.

systemd's watchdog is fed after each pass over the recordings, and while bytes of a long request get through, as long as
the publisher is not stuck. So a courier that hangs in either is started afresh, and a slow line is no hang.
"""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any

from appliance.contract.board import board_serial, is_another_board
from appliance.contract.durable_files import replace
from appliance.contract.errors import SettingsError
from appliance.contract.paths import PROGRESS
from appliance.contract.single_instance import single_instance
from appliance.contract.status import CourierProgress
from appliance.contract.stop_signal import StopSignal
from appliance.contract.systemd_notification import SystemdNotifier
from appliance.contract.trouble_log import TroubleLog
from appliance.contract.version import software

from .mqtt.connection import tls_context
from .mqtt.status_publisher import StatusPublisher
from .settings import CourierSettings
from .status_reader import StatusReader
from .upload.archive_client import ArchiveClient
from .upload.uploader import Uploader

REWRITE_S = 5.0
"""How often progress.json is written without a change, in seconds."""
_log = logging.getLogger(__name__)


class Courier:
    """Runs until it is told to stop."""

    def __init__(self, settings: CourierSettings) -> None:
        """Check what can be checked before anything starts; raise SettingsError otherwise."""
        if is_another_board(settings.box.board, board_serial()):
            raise SettingsError(
                f"{settings.box.id} was enrolled on the board {settings.box.board}, and this is {board_serial()}: the "
                "card was copied. Give this box a claim of its own (docs/enrollment.md); until then its recordings "
                "stay on it",
                field="box.board",
            )
        self._settings = settings
        self._stop = StopSignal()
        self._notifier = SystemdNotifier()
        self._fed_ns = 0
        self._failed = False
        self._reported: tuple[object, float] = (None, 0.0)
        self._troubles = TroubleLog(_log)
        self._client = ArchiveClient(settings, self._stop, self._feed_watchdog)
        tls_context(settings.broker)
        run, box = settings.spool.run, settings.box.id
        self._publisher = StatusPublisher(settings, StatusReader(run, box), software())
        self._uploader = Uploader(settings, self._client, StatusReader(run, box), self._publisher.publish_event)
        self._prepare_state()

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; return the exit status. Raises SettingsError if another courier runs."""
        remedy = "stop it first: systemctl stop plainsight-courier"
        with (
            single_instance(self._settings.state.path, "courier", field="state.path", remedy=remedy),
            self._stop.listening(),
        ):
            threading.excepthook = self._on_defect
            self._publisher.start()
            self._notifier.ready()
            _log.info("courier of %s: archive %s", self._settings.box.id, self._settings.archive.url)
            try:
                self._work()
            finally:
                self._notifier.stopping()
                self._stop.set()
                self._publisher.stop()
                self._client.close()
        return 1 if self._failed else 0

    def _work(self) -> None:
        while not self._stop.is_set():
            pause = self._uploader.run_pass()
            self._report()
            self._feed_watchdog()
            if pause:
                self._stop.wait(pause)

    def _feed_watchdog(self) -> None:
        now_ns = time.monotonic_ns()
        if not self._notifier.watchdog_ns or now_ns - self._fed_ns < self._notifier.watchdog_ns:
            return
        if self._publisher.overdue:
            _log.error("systemd's watchdog is not fed: the connection to the broker hangs")
            return
        self._fed_ns = now_ns
        self._notifier.watchdog()

    def _report(self) -> None:
        """Write progress.json when it has changed or is getting old; not durable, since it is only a report."""
        uploader, broker = self._uploader, self._publisher.connected
        recordings = uploader.recordings()
        now, (last, last_at) = time.monotonic(), self._reported
        if (broker, uploader.archive, recordings) == last and now - last_at < REWRITE_S:
            return
        self._reported = ((broker, uploader.archive, recordings), now)
        try:
            self._write(
                CourierProgress(
                    monotonic_ns=time.monotonic_ns(),
                    broker="up" if broker else "down",
                    archive=uploader.archive,
                    recordings=recordings,
                )
            )
        except OSError as error:
            self._troubles.report(PROGRESS, f"{PROGRESS} cannot be written: {error.strerror}; uploads go on")
        else:
            self._troubles.clear(PROGRESS)

    def _write(self, progress: CourierProgress) -> None:
        path = self._settings.state.path / PROGRESS
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
