"""Backups and their copies of the keys where a clock was wrong, a place is away, or the host is another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError
from archive.backup.copying import back_up
from archive.backup.manifest import backups_in
from archive.backup.restoring import Source, restore
from archive.core.metrics import gauges
from archive.doctor import control
from archive.keystore.generations import forget_old, generations, make_generation
from archive.keystore.last_backup import last_backup
from archive.keystore.places import places
from archive.recordings.models import Recording
from archive.records.destruction import deeds, finish_deeds
from archive.records.destruction.models import Destruction
from tests.archive.backup.test_backup import empty_machine, source
from tests.archive.page_fixtures import Arrive
from tests.archive.records.destruction.scene import make_scene
from tests.support.archives import SETTINGS, Archive

YEARS = timedelta(days=3652)


@contextmanager
def doubled(folder: Path) -> Iterator[Source]:
    """An archive whose keys have a second place each, as its settings name them."""
    found = Source(folder / "backup", folder / "nas", folder / "stick")
    named = {"keys": found.keys, "generation_keys": found.generation_keys, "folder": found.folder}
    backup = settings.ARCHIVE.backup.model_copy(update=named)
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"backup": backup})):
        yield found


def shown_backup() -> float | None:
    return next(one.value for one in gauges() if one.name == "last_backup_timestamp_seconds")


def test_no_backup_is_made_by_a_clock_that_is_in_doubt(
    archive: Archive, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name it would be the newest for ten years, and its copy of the keys would open for as long."""
    sealed(seconds=1)
    wrong = timezone.now() + YEARS
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: wrong)
        with pytest.raises(StorageError, match="confirm-clock"):
            back_up(tmp_path / "backup", wrong)
        with pytest.raises(StorageError, match="confirm-clock"):
            make_generation(wrong)
    assert backups_in(tmp_path / "backup") == []
    assert generations() == []
    assert back_up(tmp_path / "backup", timezone.now()).problems == ()


def test_a_backup_that_a_wrong_clock_made_is_not_taken_for_the_newest(
    archive: Archive, sealed: Arrive, tmp_path: Path
) -> None:
    """It was made in a night of 2036, before what came later by the log."""
    folder = tmp_path / "backup"
    ahead = back_up(folder, timezone.now() + YEARS)
    sealed(seconds=1)
    real = back_up(folder, timezone.now() + timedelta(days=1))
    with empty_machine(tmp_path / "doubt"), pytest.raises(SettingsError, match="in doubt") as told:
        restore(source(archive, folder))
    assert real.name in told.value.message
    assert not (tmp_path / "doubt").exists()
    with empty_machine(tmp_path / "new"):
        # and so is its copy of the keys, which holds no key of that recording
        found = restore(source(archive, folder, name=real.name))
        assert (found.generation, found.verified, found.without_key) == (real.generation, 1, 0)
        assert found.generation != ahead.generation


def test_a_restore_without_keys_is_no_success(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    old = make_generation(timezone.now() - timedelta(days=1))
    sealed(seconds=1)
    back_up(tmp_path / "backup", timezone.now())
    (tmp_path / "new.toml").write_text(SETTINGS)
    for more in ([], ["--no-audio"]):
        new = Archive(tmp_path / f"new{len(more)}", archive.keys)
        with empty_machine(new.home):
            told = new.run(
                *("restore", f"--from={tmp_path}/backup", f"--keys-from={archive.home}/key-generations"),
                *(f"--generation-keys-from={archive.home}/generation-keys", f"--generation={old}", *more),
                status=1,
            )
        assert "1 without their key" in told.stdout


def test_what_opened_a_copy_before_a_restore_is_forgotten_like_the_archives_own(
    archive: Archive, sealed: Arrive, tmp_path: Path
) -> None:
    """The certificate's second date waits for it, on whichever host."""
    scene, now = make_scene(sealed(seconds=1).id), timezone.now()
    with doubled(tmp_path) as kept:
        before = back_up(kept.folder, now - timedelta(minutes=1))
        deeds.carry_out(scene.approved().pk, by=scene.bob)
        back_up(kept.folder, now)
        with empty_machine(tmp_path / "new"):
            assert restore(kept).failed == ()
            assert before.generation in generations()
            finish_deeds.note_forgotten()
            assert Destruction.objects.get().forgotten_at is None
            back_up(kept.folder, now + timedelta(days=31, minutes=1))
            assert before.generation in forget_old(now + timedelta(days=31, minutes=1))
            assert not [path for folder in places().keys for path in folder.glob(f"{before.generation}*")]
            assert not list(kept.keys.glob(f"{before.generation}*"))
            finish_deeds.note_forgotten()
            assert Destruction.objects.get().forgotten_at is not None


@pytest.mark.parametrize("away", ["nas", "stick"])
def test_where_a_place_of_the_keys_is_away_the_rest_is_backed_up_and_told(
    archive: Archive, sealed: Arrive, tmp_path: Path, away: str
) -> None:
    first = sealed(seconds=1).id
    with doubled(tmp_path) as kept:
        back_up(kept.folder, timezone.now() - timedelta(hours=1))
        whole, figure = last_backup(), shown_backup()
        assert whole is not None
        second = sealed(seconds=1).id
        (tmp_path / away).rename(tmp_path / "away")
        (tmp_path / away).mkdir()
        told = archive.run("backup", "--json", status=1)
        assert f"{tmp_path / away} is away" in " ".join(json.loads(told.stdout)["problems"])
        # monitors go by the last whole one
        assert (last_backup(), shown_backup()) == (whole, figure)
        assert control.summarize(archive.home, whole + timedelta(days=3)).backup_s == 3 * 86400
        (tmp_path / away).rmdir()
        (tmp_path / "away").rename(tmp_path / away)
        assert len(backups_in(kept.folder)) == 2
        with empty_machine(tmp_path / "new"):
            # its keys are in the archive's own folder alone
            found = restore(source(archive, kept.folder))
            assert (found.verified, found.without_key) == (2, 0)
            assert {row.pk for row in Recording.objects.all()} == {first, second}
        assert back_up(kept.folder, timezone.now() + timedelta(seconds=5)).problems == ()
        assert last_backup() != whole


def test_where_no_copy_of_the_keys_can_be_made_none_is_counted(
    archive: Archive, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(seconds=1)
    (archive.home / "key-generations").write_text("no folder")
    made = back_up(tmp_path / "backup", timezone.now())
    assert (made.generation, len(made.problems)) == ("", 1)
    assert backups_in(tmp_path / "backup") == [made.name]
    assert generations() == []
    assert last_backup() is None


def test_a_note_of_the_last_backup_that_cannot_be_understood_is_none(archive: Archive, tmp_path: Path) -> None:
    back_up(tmp_path / "backup", timezone.now())
    assert last_backup() is not None
    (archive.home / "last-backup.json").write_text("torn")
    assert last_backup() is None


def test_of_a_backup_of_a_time_to_come_nobody_knows_when_it_was(archive: Archive, tmp_path: Path) -> None:
    back_up(tmp_path / "backup", timezone.now() + timedelta(days=50))
    assert (last_backup(), shown_backup()) == (None, None)
    now = timezone.now()
    assert control.summarize(archive.home, now).backup_s is None
    back_up(tmp_path / "backup", now)
    assert last_backup() is not None
