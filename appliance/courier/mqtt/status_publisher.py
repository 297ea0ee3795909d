"""Keeps the broker informed about the box, whatever happens to the uploads.

Concurrency: one thread, `status-publisher`, started by `start` and joined by `stop`. It alone reads the status for
publishing and uses the connection. It waits for the network within `times.connect_s` (name resolution excepted, which
is why it is a daemon thread) and never for the spool. Other threads call `publish_event` (a bounded queue that never
blocks), `connected` and `overdue`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path

from appliance.contract.durable_files import read_bounded, replace
from appliance.contract.errors import PlainSightError
from appliance.contract.trouble_log import TroubleLog
from appliance.courier.backoff import Backoff, Pace
from appliance.courier.health_reader import HealthReader
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader

from .connection import BrokerError, Connection, TakenOverError
from .publication_policy import PublicationPolicy

TURN_S = 0.5
"""How often the recorder's status is looked at, in seconds; the recorder writes it as often."""
STOP_S = 8.0
"""How long the thread gets to end, in seconds."""
PATIENCE_S = 60.0
"""So much later than expected the thread may come back from the network, in seconds, before it counts as stuck."""
SUSPICIOUS = 3
"""After so many short connections in a row, two boxes with one identity are the likely reason: each throws the other
off, and Mosquitto 2.0.11 does not say why (MQTT 5 has a reason code for it, 0x8E)."""
TWO_BOXES = (
    "most likely two boxes have one identity, as after copying a card: each ends the connection of the other to the "
    "broker. Enroll one of them again"
)
"""In place of what each of the connections ended with, which is now one sentence and now another."""
AHEAD = 1000
"""So many numbers of connections are kept at once; a restart of the courier leaves out what is left of them."""
_BROKER = "broker"
_log = logging.getLogger(__name__)


class StatusPublisher:
    """Publishes until it is stopped."""

    def __init__(self, settings: CourierSettings, status: StatusReader, software: str, turn_s: float = TURN_S) -> None:
        """Publish what `status` reads, with what `settings` say; `turn_s` is how often it is looked at, in seconds."""
        times = settings.times
        self._settings = settings
        self._status = status
        self._turn_s = turn_s
        self._policy = PublicationPolicy(
            settings.box.id, software=software, report_s=times.report_s, counting_s=times.counting_s
        )
        self._health = HealthReader(settings.spool.reports, settings.box.id)
        self._sessions = Sessions(settings.state.path / "session")
        self._events: queue.Queue[tuple[str, str, int]] = queue.Queue(100)
        self._stop = threading.Event()
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status-publisher", daemon=True)
        self._pace = Pace(times.retry_s, times.retry_max_s)
        self._backoff = Backoff()
        self._troubles = TroubleLog(_log)
        self._since: float | None = None
        """CLOCK_MONOTONIC in seconds when the present connection, or the last attempt's, was believed."""
        self._short_in_a_row = 0
        self._due = time.monotonic() + PATIENCE_S

    @property
    def connected(self) -> bool:
        """Whether the broker takes this box's messages."""
        return self._connected.is_set()

    @property
    def overdue(self) -> bool:
        """Whether the thread is stuck: it should have come back from what it waits for long ago."""
        return time.monotonic() > self._due

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; tell the broker first, if it is there."""
        self._stop.set()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            _log.warning(
                "the connection to the broker could not be closed within %g s; the courier ends without it. "
                "If this happens again, look at the network and its name server",
                STOP_S,
            )

    def publish_event(self, kind: str, recording: str) -> None:
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
                now = time.monotonic()
                # a broker that was started again has lost all its boxes in one moment
                spread_s = 0.0 if self._since is None else self._settings.times.spread_s
                pause = self._backoff.failed(self._pace, now, spread=spread_s)
                is_short = self._since is not None and now - self._since < self._pace.longest
                self._short_in_a_row = self._short_in_a_row + 1 if is_short else 0
                if isinstance(error, TakenOverError):
                    self._short_in_a_row = max(self._short_in_a_row, SUSPICIOUS)
                message = error.message if self._short_in_a_row < SUSPICIOUS else TWO_BOXES
                self._troubles.report(_BROKER, f"{message}; uploads go on, and the broker is tried again")
                self._expect(pause)
                self._stop.wait(pause)

    def _hold_connection(self) -> None:
        settings = self._settings
        self._since = None
        self._expect(settings.times.connect_s)
        connection = Connection(settings.broker, settings.box.id, self._sessions.following(), settings.times.connect_s)
        try:
            connection.open()
            deadline = time.monotonic() + settings.times.answer_s
            while not connection.accepted and not self._stop.is_set():
                self._serve(connection)
                if time.monotonic() > deadline:
                    raise BrokerError("the broker takes the connection and does not answer")
            self._publish_all(connection)
            while not self._stop.is_set():
                self._serve(connection)
                if not connection.is_current:
                    _log.info("the archive has named another broker")
                    return
                self._publish_changes(connection)
        finally:
            self._connected.clear()
            connection.close()

    def _serve(self, connection: Connection) -> None:
        self._expect(self._turn_s)
        connection.serve(self._turn_s)
        if not connection.believed:
            self._connected.clear()
        elif not self._connected.is_set():
            self._connected.set()
            self._since = time.monotonic()
            _log.info("connected to the broker")
        elif self._backoff.attempts and self._since is not None and time.monotonic() - self._since > self._pace.longest:
            # not before: two boxes with one identity throw each other off, and each would come back at once
            self._backoff.succeeded()
            self._troubles.clear(_BROKER)

    def _publish_all(self, connection: Connection) -> None:
        connection.publish_online()
        for publication in self._policy.all_retained(self._status.read(), time.monotonic_ns()):
            connection.publish(publication)

    def _publish_changes(self, connection: Connection) -> None:
        for publication in self._policy.update(self._status.read(), time.monotonic_ns()):
            connection.publish(publication)
        for publication in self._policy.update_health(self._health.changed()):
            connection.publish(publication)
        while not self._events.empty():
            kind, recording, happened_ns = self._events.get_nowait()
            connection.publish(self._policy.event(kind, recording, happened_ns))

    def _expect(self, seconds: float) -> None:
        """Note that the thread will be back from what it begins now within `seconds`."""
        self._due = time.monotonic() + seconds + PATIENCE_S


class Sessions:
    """A number that grows with each connection, over restarts too."""

    def __init__(self, path: Path) -> None:
        """Keep in the file `path` how far the numbers may be used."""
        self._path = path
        self._last = self._kept = 0

    def following(self) -> int:
        """Return the next number. When it cannot be kept, time makes it grow all the same.

        AHEAD of them are kept at once: while no broker answers, each attempt takes one, for weeks, and the card that
        each would be written to is the one that the recordings lie on.
        """
        if self._last >= self._kept:
            self._keep_more()
        self._last += 1
        return self._last

    def _keep_more(self) -> None:
        try:
            self._last = max(self._last, int(read_bounded(self._path, 64)))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            _log.warning("the session counter %s is unreadable (%s); it goes on from the clock", self._path, error)
            self._last = max(self._last, int(time.time()))
        kept = self._last + AHEAD
        try:
            replace(self._path, b"%d\n" % kept, mode=0o644, durable=True)
        except OSError as error:
            _log.warning("the session counter %s cannot be kept: %s", self._path, error.strerror)
        else:
            self._kept = kept
