"""Messages never stop the supervisor, and systemd is told what it asks for."""

from __future__ import annotations

import importlib
import io
import logging
import socket
import sys
import threading
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.recorder.settings import Log
from appliance.recorder.supervisor import journal
from tests.support.waiting import until

LOG = logging.getLogger("plainsight.test")


class Reader(io.StringIO):
    """A standard error whose reader may stop."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.reads.set()

    def write(self, text: str) -> int:
        self.reads.wait(20)
        return super().write(text)


def journal_to(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> journal.Journal:
    # in the test itself, since pytest sets its own standard error after fixtures
    monkeypatch.setattr(sys, "stderr", reader)
    return journal.Journal(Log())


def test_messages_reach_standard_error_and_what_waits_is_written_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    lines = journal_to(reader, monkeypatch)
    LOG.info("one %d", 1)
    LOG.debug("not this")
    lines.close()
    assert "plainsight.test INFO one 1" in reader.getvalue()
    assert "not this" not in reader.getvalue()


def test_a_reader_that_stops_costs_messages_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    lines = journal_to(reader, monkeypatch)
    reader.reads.clear()
    for number in range(3000):
        LOG.info("message %d", number)
    reader.reads.set()
    lines.close()
    assert "messages were dropped" in reader.getvalue()
    assert "message 0" in reader.getvalue()


def test_the_journal_is_an_explicit_choice_with_a_remedy_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(SettingsError, match="systemd-python") as caught:
        journal.Journal(Log(to="journal"))
    assert caught.value.field == "log.to"


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = journal.SystemdNotifier()
    notifier.ready()
    assert notifier.watchdog_ns == 0


def test_systemd_is_told_of_readiness_and_status_and_its_watchdog_is_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        notifier = journal.SystemdNotifier()
        assert notifier.watchdog_ns == 1_000_000_000
        notifier.ready()
        notifier.status("idle")
        notifier.status("idle")
        notifier.watchdog()
        notifier.stopping()
        heard = [systemd.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"STATUS=idle", b"WATCHDOG=1", b"STOPPING=1"]


def test_the_writing_thread_ends_with_close(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    lines = journal_to(reader, monkeypatch)
    assert "journal" in [thread.name for thread in threading.enumerate()]
    lines.close()
    until(lambda: "journal" not in [thread.name for thread in threading.enumerate()], "the thread's end")
