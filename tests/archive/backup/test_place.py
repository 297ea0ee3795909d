"""What lies in a place of backups: one run at a time, nothing of those that were killed, and copies that hold."""

from __future__ import annotations

import fcntl
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone

from appliance.contract.errors import StorageError
from archive.backup.copying import back_up
from archive.backup.exporting import export_archive
from archive.backup.place import LOCK, one_run_in
from archive.backup.restoring import restore
from archive.custody.actors import ARCHIVE
from archive.recordings.models import Recording
from archive.records.destruction import deeds
from archive.sealing.seal import seal
from archive.store.current import store
from tests.archive.backup.test_backup import empty_machine, source
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive


def change(path: Path, at: int = -1) -> None:
    """What a disk does in years."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_nothing_stays_of_runs_that_were_killed(archive: Archive, tmp_path: Path) -> None:
    """It holds the whole database, and does not show in `ls`."""
    folder = tmp_path / "backup"
    left = [folder / name for name in (".20251127T010000Z", ".20251128T010000Z", ".archive-20251127T010000Z")]
    theirs = [folder / name for name in (".snapshots", "20251127T010000Z", ".20251127T010000Z.txt")]
    for path in (*left, *theirs):
        path.mkdir(parents=True)
        (path / "archive.sqlite3").write_bytes(b"names")
    told = json.loads(archive.run("backup", f"--to={folder}", "--json").stdout)
    assert told["left_by_killed_runs"] == 3
    assert not [path for path in left if path.exists()]
    assert all(path.exists() for path in theirs)


def test_two_runs_in_one_place_are_not_at_work_at_once(archive: Archive, tmp_path: Path) -> None:
    with one_run_in(tmp_path), pytest.raises(StorageError, match="at work"):
        back_up(tmp_path, timezone.now())
    with one_run_in(tmp_path), pytest.raises(StorageError, match="at work"):
        export_archive(tmp_path, "age1", timezone.now(), ARCHIVE)
    assert back_up(tmp_path, timezone.now()).left == 0
    assert (tmp_path / LOCK).exists()


def test_no_backup_goes_to_the_folder_that_a_disk_was_mounted_on(archive: Archive, tmp_path: Path) -> None:
    folder, now = tmp_path / "backup", timezone.now()
    back_up(folder, now)
    folder.rename(tmp_path / "disk")
    folder.mkdir()
    with pytest.raises(StorageError, match="is away"):
        back_up(folder, now + timedelta(seconds=1))
    assert list(folder.iterdir()) == []
    # another place is asked nothing, and neither is another disk that somebody put there
    back_up(tmp_path / "other", now + timedelta(seconds=1))
    (folder / LOCK).touch()
    back_up(folder, now + timedelta(seconds=2))


def test_where_no_lock_can_be_had_nothing_is_swept(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", fail)
    (tmp_path / ".20251127T010000Z").mkdir()
    assert back_up(tmp_path, timezone.now()).left == 0
    assert (tmp_path / ".20251127T010000Z").is_dir()


def test_a_package_that_is_damaged_in_the_store_is_no_copy(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    bad, good = sealed(seconds=1).id, sealed(seconds=1).id
    outside = brought(make_user("ann", role="custodian"), sound("FLAC"))
    names = {pk: Recording.objects.get(pk=pk).package for pk in (bad, good)}
    change(archive.home / "store" / names[bad])
    change(archive.home / "store" / "outside" / outside.pk[:2] / f"{outside.pk}.zip")
    told = archive.run("backup", f"--to={tmp_path / 'backup'}", "--json", status=1)
    problems = json.loads(told.stdout)["problems"]
    assert [bad in problems[0], outside.pk in problems[1], len(problems)] == [True, True, 2]
    assert not (tmp_path / "backup" / names[bad]).exists()
    assert (tmp_path / "backup" / names[good]).exists()


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_copy_that_does_not_hold_is_told_and_made_anew(
    archive: Archive, sealed: Arrive, tmp_path: Path, damage: str
) -> None:
    """A cut one at once; a changed one when it is its turn, which all have within the days of the fixity checks."""
    sealed(seconds=1)
    row, folder, now = Recording.objects.get(), tmp_path / "backup", timezone.now()
    fixity = settings.ARCHIVE.fixity.model_copy(update={"every_days": 7})
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"fixity": fixity})):
        back_up(folder, now)
        copy = folder / row.package
        if damage == "cut":
            copy.chmod(0o600)
            copy.write_bytes(copy.read_bytes()[:-1])
        else:
            change(copy)
        told = [back_up(folder, now + timedelta(days=day)).problems for day in range(1, 9)]
    assert [str(copy) in problem for problems in told for problem in problems] == [True]
    assert damage == "changed" or told[0]
    assert copy.read_bytes() == store().read(row.package)


def test_a_night_that_was_missed_is_made_up_for(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    sealed(seconds=1)
    row, now = Recording.objects.get(), timezone.now()
    back_up(tmp_path, now)
    change(tmp_path / row.package)
    assert len(back_up(tmp_path, now + timedelta(days=settings.ARCHIVE.fixity.every_days)).problems) == 1


def test_what_had_arrived_of_a_destroyed_recording_leaves_older_backups(
    archive: Archive, arrive: Arrive, tmp_path: Path
) -> None:
    made, now = arrive(seconds=1).id, timezone.now()
    before = back_up(tmp_path / "backup", now)
    arrived = tmp_path / "backup" / before.name / "incoming" / made
    assert arrived.is_dir()
    seal(made)
    scene = make_scene(made)
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    back_up(tmp_path / "backup", now + timedelta(seconds=1))
    assert not arrived.exists()
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, tmp_path / "backup", name=before.name))
        assert (found.failed, found.erased, found.without_key) == ((), 1, 0)
