"""Messages: systemd's journal through systemd-python, standard error where asked for.

Runs a thread named `journal` that alone writes messages: a reader that does not read, or a disk that hangs, stops it
and not the supervisor, whose messages wait in a bounded queue and are then counted as dropped. Joined by `close`, with
a limit; logging's own QueueListener would wait for a hung reader for ever, and gives its thread no name.
"""

from __future__ import annotations

import importlib
import logging
import logging.handlers
import queue
import threading
import time

from appliance.contract import log_format
from appliance.contract.errors import SettingsError
from appliance.recorder.settings import Log

MAX_WAITING = 1000
"""Messages that wait to be written; more are dropped and counted."""
_JOIN_S = 2.0


class _Handler(logging.handlers.QueueHandler):
    """Enqueues without waiting, and counts what found no place."""

    def __init__(self, waiting: queue.Queue[logging.LogRecord | None]) -> None:
        super().__init__(waiting)
        self.dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class Journal:
    """Where the recorder's messages go, from construction to `close`."""

    def __init__(self, settings: Log) -> None:
        self._target = _target(settings)
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(MAX_WAITING)
        self._handler = _Handler(self._waiting)
        root = logging.getLogger()
        root.setLevel(settings.level.upper())
        root.addHandler(self._handler)
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits and stop; a hung reader is left behind."""
        logging.getLogger().removeHandler(self._handler)
        end = time.monotonic() + _JOIN_S
        while time.monotonic() < end:
            try:
                self._waiting.put(None, timeout=0.1)
                break
            except queue.Full:
                continue
        self._thread.join(max(0.0, end - time.monotonic()))

    def _write(self) -> None:
        told = 0
        while (record := self._waiting.get()) is not None:
            self._target.handle(record)
            if self._handler.dropped > told:
                told = self._handler.dropped
                text = f"{told} messages were dropped so far: the journal takes them too slowly"
                self._target.handle(logging.LogRecord(__name__, logging.WARNING, "", 0, text, (), None))


def _target(settings: Log) -> logging.Handler:
    if settings.to == "journal":
        try:
            # not present, and not needed, off systemd
            journal = importlib.import_module("systemd.journal")
        except ModuleNotFoundError as error:
            raise SettingsError(
                "log.to is 'journal', but systemd-python is missing; install plainsight[box] or set it to 'stderr'",
                field="log.to",
            ) from error
        handler: logging.Handler = journal.JournalHandler(SYSLOG_IDENTIFIER="plainsight-recorder")
        handler.setFormatter(log_format.PrintableFormatter("%(message)s"))
        return handler
    return log_format.handler("%(asctime)s %(name)s %(levelname)s %(message)s")
