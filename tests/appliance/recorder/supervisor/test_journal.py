"""Messages never stop the supervisor."""

from __future__ import annotations

import importlib
import io
import logging
import sys
import threading

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
        self.reads.wait(60)
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


def test_the_writing_thread_ends_with_close(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    lines = journal_to(reader, monkeypatch)
    assert "journal" in [thread.name for thread in threading.enumerate()]
    lines.close()
    until(lambda: "journal" not in [thread.name for thread in threading.enumerate()], "the thread's end")
