"""What was deleted is gone from the database's files, its log of writes included."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.db import connection, transaction

from appliance.contract.stop_signal import StopSignal
from archive.core.database_log import empty_log, empty_log_now_and_then
from archive.core.jobs import JOBS
from archive.rooms.models import Room
from tests.support.archives import ENGINE, Archive

NAME = "Quillfeather-Annex-7"
pytestmark = pytest.mark.skipif(ENGINE != "sqlite", reason="a server's files are its own")


def holding(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("archive.sqlite3*") if NAME.encode() in path.read_bytes())


def gone() -> None:
    Room.objects.create(name=NAME)
    Room.objects.filter(name=NAME).delete()


def test_the_log_has_what_was_deleted_until_it_is_emptied(archive: Archive) -> None:
    gone()
    assert holding(archive.home) == ["archive.sqlite3-wal"], "this is what the deed is for"
    assert empty_log()
    assert holding(archive.home) == []
    assert (archive.home / "archive.sqlite3-wal").stat().st_size == 0


def test_a_reader_of_the_time_before_keeps_it_and_is_asked_again(archive: Archive) -> None:
    Room.objects.create(name=NAME)
    reader = sqlite3.connect(archive.home / "archive.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM rooms_room").fetchone()
    Room.objects.filter(name=NAME).delete()
    assert not empty_log()
    empty_log_now_and_then(StopSignal())
    assert holding(archive.home)
    reader.execute("COMMIT")
    assert empty_log()
    assert holding(archive.home) == []
    reader.close()


def test_in_a_transaction_nothing_is_called_emptied(archive: Archive) -> None:
    gone()
    with transaction.atomic():
        assert not empty_log()
    assert empty_log()


def test_the_waiting_time_of_whoever_uses_the_connection_next_is_as_before(archive: Archive) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        before = cursor.fetchone()
        empty_log()
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == before


def test_the_worker_empties_it_every_hour(archive: Archive) -> None:
    (job,) = [one for one in JOBS if one.run is empty_log_now_and_then]
    assert job.every_s <= 3600
