"""Killed at any moment, a transfer is not here yet or taken in, and the same command again finishes it."""

from __future__ import annotations

import shutil

from django.db import connections

from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.recordings.models import Recording
from archive.recordings.verification import verify_again
from archive.sealing.audit import audit
from archive.transfers.models import TakenIn
from tests.archive.page_fixtures import entries
from tests.archive.transfers.test_taking_in import Handed, archive, handed, opening, taken  # noqa: F401 - fixtures
from tests.support.archives import Archive
from tests.support.killing import Killer, kills


def test_a_take_in_that_is_killed_is_finished_by_the_next(archive: Archive, handed: Handed) -> None:  # noqa: F811
    saved = archive.home.with_name("saved.sqlite3")
    archive.save_database(saved)
    connections.close_all()
    empty = archive.home.with_name("empty")
    shutil.copytree(archive.home, empty)
    killer, states = Killer(lambda: taken(handed)), set()
    for _ in kills(8):
        connections.close_all()
        shutil.rmtree(archive.home)
        shutil.copytree(empty, archive.home)
        archive.put_database_back(saved)
        killer.kill(lambda: taken(handed))
        there = Recording.objects.exists()
        states.add(there)
        assert there == TakenIn.objects.exists() == bool(entries(handed.recording, "transferred-in"))
        assert taken(handed).already == there
        assert verify_again(Recording.objects.get(), ARCHIVE).verdict == "intact"
        assert list(audit()) == []
        assert check_custody() is None
