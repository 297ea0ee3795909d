"""Killed at any moment, a backup or an export is not there or whole, and the next one is not disturbed by it."""

from __future__ import annotations

from pathlib import Path

from django.db import connections
from django.utils import timezone

from appliance.contract.encryption import Identity
from archive.backup.copying import back_up
from archive.backup.exporting import export_archive
from archive.backup.importing import import_archive
from archive.backup.manifest import backups_in
from archive.backup.restoring import restore
from archive.custody.actors import ARCHIVE
from archive.custody.check import check as check_custody
from archive.keystore.current import keystore
from tests.archive.backup.test_backup import empty_machine, source
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive
from tests.support.killing import Killer, kills


def test_a_backup_that_is_killed_is_none(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    sealed(seconds=1)
    killer = Killer(lambda: back_up(tmp_path / "first", timezone.now()))
    for number in kills(4):
        folder = tmp_path / f"backup-{number}"
        connections.close_all()
        killer.kill(lambda folder=folder: back_up(folder, timezone.now()))  # type: ignore[misc]  # as for any default
        keystore.cache_clear()
        if backups_in(folder):
            with empty_machine(tmp_path / f"new-{number}"):
                assert restore(source(archive, folder)).verified == 1
    back_up(tmp_path / "backup-0", timezone.now())
    assert not [path for path in (tmp_path / "backup-0").glob(".*") if path.is_dir()]
    with empty_machine(tmp_path / "last"):
        assert restore(source(archive, tmp_path / "backup-0")).verified == 1
    assert check_custody() is None


def test_an_export_that_is_killed_is_none(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    sealed(seconds=1)
    identity, folder = Identity.generate(), tmp_path / "leaving"
    killer = Killer(lambda: export_archive(tmp_path / "first", identity.recipient, timezone.now(), ARCHIVE))
    for number in kills(4):
        connections.close_all()
        killer.kill(lambda: export_archive(folder, identity.recipient, timezone.now(), ARCHIVE))
        keystore.cache_clear()
        for whole in folder.glob("archive-*"):
            with empty_machine(tmp_path / f"new-{number}"):
                assert import_archive(whole, identity).verified == 1
            whole.rename(tmp_path / f"done-{number}")
    whole = export_archive(folder, identity.recipient, timezone.now(), ARCHIVE).folder
    assert not [path for path in folder.glob(".*") if path.is_dir()]
    with empty_machine(tmp_path / "last"):
        assert import_archive(whole, identity).verified == 1
    assert check_custody() is None
