"""`plainsight-archive check-custody`."""

from __future__ import annotations

import json

from django.db import connection

from archive.custody.models import Entry
from tests.support.archives import Archive


def test_an_intact_log_and_its_head(archive: Archive) -> None:
    answer = json.loads(archive.run("check-custody", "--json").stdout)
    assert answer == {"entries": 1, "head": Entry.objects.get().digest, "intact": True, "problem": None}


def test_a_broken_log_is_an_exit_status(archive: Archive) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER custody_entry_no_update")
    Entry.objects.update(actor="somebody")
    assert "broken at entry 0" in archive.run("check-custody", status=1).stdout


def test_a_database_that_was_not_made_names_the_remedy(archive: Archive) -> None:
    connection.close()
    (archive.home / "archive.sqlite3").unlink()
    assert "migrate" in archive.spawn("check-custody", status=2).stderr
