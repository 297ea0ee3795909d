"""The custody log: append-only by its triggers, and a chain in which every change shows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from archive.custody.kinds import Kind
from archive.custody.log import check, record
from archive.custody.models import Entry, Head
from tests.support.archives import Archive


@pytest.fixture
def log(archive: Archive) -> None:
    for n in range(5):
        record(Kind.LISTEN, actor="user:ann", recording="a" * 32, first_frame=n, frames=48000)


def test_entries_are_chained(log: None) -> None:
    assert check() is None
    entries = list(Entry.objects.all())
    assert [entry.n for entry in entries] == list(range(6))
    assert [entry.prev for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]


@pytest.mark.parametrize(
    "statement", ["UPDATE custody_entry SET actor = 'nobody' WHERE n = 2", "DELETE FROM custody_entry WHERE n = 5"]
)
def test_the_database_refuses_changes(log: None, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert check() is None


def change(n: int) -> None:
    Entry.objects.filter(pk=n).update(actor="user:other")


def drop(n: int) -> None:
    Entry.objects.filter(pk=n).delete()


@pytest.mark.parametrize(("deed", "n"), [(change, 0), (change, 3), (change, 5), (drop, 0), (drop, 3), (drop, 5)])
def test_what_somebody_with_the_database_in_hand_does_shows(log: None, deed: Callable[[int], None], n: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER custody_entry_no_update")
        cursor.execute("DROP TRIGGER custody_entry_no_delete")
    deed(n)
    broken = check()
    assert broken is not None
    assert broken.n == n


def test_a_missing_head_shows(log: None) -> None:
    Head.objects.all().delete()
    assert check() is not None


def test_an_entry_is_as_durable_as_the_deed_around_it(log: None) -> None:
    def failing() -> None:
        with transaction.atomic():
            record(Kind.SEAL, actor="archive")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert Entry.objects.count() == 6
    assert check() is None


def test_two_processes_writing_at_once_make_one_chain(archive: Archive) -> None:
    program = (
        "import os, django; django.setup()\n"
        "from archive.custody.log import record\n"
        "for n in range(100): record('look', actor='user:ann', recording='b' * 32, n=n)\n"
    )
    environment = {**archive.environment(), "DJANGO_SETTINGS_MODULE": "archive.settings"}
    writers = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert Entry.objects.count() == 201
    assert check() is None
