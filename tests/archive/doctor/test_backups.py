"""The doctor says when there is no backup, when the last one is too old, and when the keys have no second place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from archive.configuration.storage import Backup
from archive.doctor.backups import BackupLook, check, look
from archive.keystore.generations import make_generation
from archive.keystore.last_backup import note_backup
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
THREE = Backup(folder=Path("/mnt/backup"), keys=Path("/mnt/keys"), generation_keys=Path("/media/stick"))
GOOD = BackupLook(THREE, last=NOW - timedelta(hours=9), sealed=NOW - timedelta(days=90))


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        (GOOD, "ok", "9 h ago"),
        (replace(GOOD, last=NOW - timedelta(hours=26)), "warning", "1 day ago"),
        (replace(GOOD, last=NOW - timedelta(days=8)), "wrong", "8 days ago"),
        (replace(GOOD, last=None), "wrong", "none was ever made"),
        (replace(GOOD, last=None, sealed=NOW - timedelta(days=1)), "warning", "none was ever made"),
        (replace(GOOD, last=None, sealed=None, chosen=Backup()), "warning", "none was ever made"),
        (replace(GOOD, chosen=Backup(folder=Path("/mnt/backup"))), "warning", "no second place"),
    ],
)
def test_it_says_how_old_the_last_one_is(seen: BackupLook, verdict: str, words: str) -> None:
    (found,) = check(seen, NOW)
    assert (found.verdict, words in found.found) == (verdict, True), found
    assert bool(found.remedy) == (verdict != "ok")


@pytest.mark.parametrize(("chosen", "remedy"), [(Backup(), "[backup]"), (THREE, "journalctl")])
def test_the_remedy_is_a_place_or_a_look_at_the_timer(chosen: Backup, remedy: str) -> None:
    for last in (None, NOW - timedelta(days=30)):
        (found,) = check(replace(GOOD, chosen=chosen, last=last), NOW)
        assert remedy in found.remedy


def test_what_is_there_is_looked_at(archive: Archive, sealed: Arrive) -> None:
    assert (look().last, look().sealed) == (None, None)
    sealed(seconds=1)
    make_generation(timezone.now())
    assert look().last is None, "a copy of the keys alone is no backup"
    note_backup(Path("/mnt/backup/20261125T023000Z"), timezone.now())
    seen = look()
    assert seen.last is not None
    assert seen.sealed is not None
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"backup": THREE})):
        assert [one.verdict for one in check(look(), timezone.now())] == ["ok"]
