"""Keeps the broker told about the box, whatever happens to the uploads.

Concurrency: one thread, `herald`, started by `start` and joined by `stop`. It alone reads the status for publishing and
alone touches the connection. It blocks on the network within `times.connect_s` (name resolution excepted, which is why
it is a daemon thread) and never on the spool. Other threads call `tell` (a bounded queue that never blocks) and `up`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path

from appliance.contract.durable_files import read_bounded, replace
from appliance.contract.errors import PlainSightError
from appliance.courier.backoff import Backoff, Pace
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader

from .connection import BrokerError, Connection
from .publication_policy import PublicationPolicy

TURN_S = 0.2
"""How often the recorder's word is looked at, in seconds."""
STOP_S = 8.0
"""How long the thread gets to end, in seconds."""
_log = logging.getLogger(__name__)


class StatusPublisher:
    """Publishes until it is stopped."""

    def __init__(self, settings: CourierSettings, status: StatusReader, software: str) -> None:
        """Publish what `status` reads, with what `settings` say."""
        times = settings.times
        self._settings = settings
        self._status = status
        self._announcer = PublicationPolicy(
            settings.box.id, software=software, report_s=times.report_s, counting_s=times.counting_s
        )
        self._sessions = Sessions(settings.state.path / "session")
        self._events: queue.Queue[tuple[str, str, int]] = queue.Queue(100)
        self._stop = threading.Event()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)
        self._pace = Pace(times.retry_s, times.retry_most_s)
        self._backoff = Backoff()
        self._trouble = ""

    @property
    def up(self) -> bool:
        """Whether the broker takes what this box says."""
        return self._up.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, with a goodbye to the broker if it is there."""
        self._stop.set()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            _log.warning("the network keeps the herald from ending; it is left behind")

    def tell(self, kind: str, recording: str) -> None:
        """Publish an event once the broker is there; some may be dropped, since the ledger is the record."""
        try:
            self._events.put_nowait((kind, recording, time.monotonic_ns()))
        except queue.Full:
            _log.debug("event %s of %s is not published: too many wait for the broker", kind, recording)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hold_connection()
            except PlainSightError as error:
                pause = self._backoff.failed(self._pace, time.monotonic())
                self._complain(error.message)
                self._stop.wait(pause)

    def _hold_connection(self) -> None:
        settings = self._settings
        connection = Connection(settings.broker, settings.box.id, self._sessions.following(), settings.times.connect_s)
        try:
            connection.open()
            deadline = time.monotonic() + settings.times.answer_s
            while not connection.accepted and not self._stop.is_set():
                connection.turn(TURN_S)
                if time.monotonic() > deadline:
                    raise BrokerError("the broker takes the connection and says nothing")
            self._greet(connection)
            while not self._stop.is_set():
                connection.turn(TURN_S)
                self._note(connection)
                self._publish(connection)
        finally:
            self._up.clear()
            connection.close()

    def _greet(self, connection: Connection) -> None:
        connection.say_online()
        for publication in self._announcer.all_retained(self._status.read(), time.monotonic_ns()):
            connection.publish(publication)

    def _publish(self, connection: Connection) -> None:
        now_ns = time.monotonic_ns()
        for publication in self._announcer.hear(self._status.read(), now_ns):
            connection.publish(publication)
        while not self._events.empty():
            kind, recording, happened_ns = self._events.get_nowait()
            connection.publish(self._announcer.event(kind, recording, happened_ns))

    def _note(self, connection: Connection) -> None:
        if connection.heard and not self._up.is_set():
            self._up.set()
            self._backoff.succeeded()
            _log.info("connected to the broker")
            self._trouble = ""
        elif not connection.heard:
            self._up.clear()

    def _complain(self, trouble: str) -> None:
        """Log a trouble when it changes, not with each attempt."""
        if trouble != self._trouble:
            _log.warning("%s; uploads go on, and the broker is tried again", trouble)
            self._trouble = trouble


class Sessions:
    """A number that grows with each connection, over restarts too."""

    def __init__(self, path: Path) -> None:
        """Keep it in the file `path`."""
        self._path = path
        self._last = 0

    def following(self) -> int:
        """Return the next number. When it cannot be kept, time makes it grow all the same."""
        try:
            self._last = max(self._last, int(read_bounded(self._path, 64)))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            _log.warning("the session counter %s is unreadable (%s); it goes on from the clock", self._path, error)
            self._last = max(self._last, int(time.time()))
        self._last += 1
        try:
            replace(self._path, b"%d\n" % self._last, mode=0o644, durable=True)
        except OSError as error:
            _log.warning("the session counter %s cannot be kept: %s", self._path, error.strerror)
        return self._last
