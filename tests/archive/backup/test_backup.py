"""A backup restores all of it into an empty folder; of what was destroyed, an old one opens nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import override_settings
from django.utils import timezone

from appliance.contract.errors import DecryptionError, KeyFileError, PlainSightError, SettingsError
from archive.backup import copying
from archive.backup.copying import back_up
from archive.backup.manifest import backups_in
from archive.backup.restoring import Source, restore
from archive.configuration.file import load
from archive.custody.actors import ARCHIVE
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.enrollment.deeds import give_claim
from archive.keystore.current import keystore
from archive.keystore.generations import destroyed_in, forget_old, generations_in, make_generation
from archive.keystore.places import places
from archive.recordings.models import Recording
from archive.recordings.playback import open_audio
from archive.recordings.secrets import secret_of
from archive.records.destruction import deeds
from archive.records.destruction.models import Destruction, Told
from archive.records.holds import deeds as hold_deeds
from archive.records.holds.models import Held
from archive.records.letters.models import Letter
from archive.records.meetings.models import Filing
from archive.records.outside_recordings.either import find_either, package_of
from archive.records.outside_recordings.models import OutsideFiling, OutsideRecording
from archive.sealing.audit import audit
from archive.sealing.seal import seal
from archive.store.current import store
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.destruction.scene import Scene, make_outside_scene, make_scene
from tests.archive.records.factories import make_matter
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import ENGINE, ROOT, SETTINGS, Archive, on_database_of
from tests.support.postgresql import cluster


@contextmanager
def empty_machine(home: Path, engine: str = ENGINE) -> Iterator[None]:
    """Point this process at an archive's folder where nothing is yet, and at an empty database."""
    name = cluster().create() if engine == "postgresql" else ""
    chosen = home.with_name(f"{home.name}.toml")
    chosen.write_text(SETTINGS + (cluster().settings(name) if name else ""))
    keystore.cache_clear()
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            on_database_of(chosen, home),
            override_settings(ARCHIVE_HOME=home),
        ):
            patch.setenv("ARCHIVE_CONFIG", str(chosen))
            yield
    finally:
        keystore.cache_clear()
        if name:
            cluster().drop(name)


KINDS = ("a box made it", "it was brought")


def scene_of(kind: str, sealed: Arrive) -> Scene:
    return make_outside_scene() if kind == "it was brought" else make_scene(sealed(seconds=2).id)


def source(archive: Archive, folder: Path, **chosen: Any) -> Source:
    return Source(folder, archive.home / "key-generations", archive.home / "generation-keys", **chosen)


def all_rows() -> dict[str, list[Any]]:
    """Every row of every table, as Python knows them."""
    tables = [one for one in apps.get_models(include_auto_created=True) if one._meta.managed]
    left_out = {"core_lease", "recordings_verification"}
    return {
        one._meta.db_table: list(one._base_manager.order_by("pk").values_list())
        for one in tables
        if one._meta.db_table not in left_out
    }


@pytest.mark.both_engines
@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_backup_of_either_engine_is_restored_into_either(
    archive: Archive, sealed: Arrive, arrive: Arrive, tmp_path: Path, into: str
) -> None:
    make_scene(sealed(seconds=1).id)
    arrive(seconds=1, reason=None)
    give_claim("Room 77", by=ARCHIVE, now=timezone.now())
    back_up(tmp_path / "backup", timezone.now())
    before = all_rows()
    assert before["custody_entry"]
    assert before["accounts_user"]
    with empty_machine(tmp_path / "new", into):
        found = restore(source(archive, tmp_path / "backup"))
        assert (found.verified, found.failed, found.custody) == (1, (), "")
        after = all_rows()
        count = len(before["custody_entry"])
        # each verification is an entry of its own
        after["custody_entry"], after["custody_head"] = after["custody_entry"][:count], before["custody_head"]
        assert after == before
        assert load(tmp_path / "new" / "archive.toml").database.engine == into
        # numbers go on where they were, and the triggers are there
        assert (
            give_claim("Room 78", by=ARCHIVE, now=timezone.now()).row.pk
            == max(row[0] for row in before["enrollment_claim"]) + 1
        )
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Entry.objects.all().delete()
        with pytest.raises(SettingsError, match=r"restore into an empty folder"):
            restore(source(archive, tmp_path / "backup"))


def test_a_database_that_holds_something_is_never_restored_into(archive: Archive, tmp_path: Path) -> None:
    back_up(tmp_path / "backup", timezone.now())
    with empty_machine(tmp_path / "new", "postgresql"):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE precious (x int)")
        with pytest.raises(SettingsError, match="is not empty; make a new one"):
            restore(source(archive, tmp_path / "backup"))
        assert not (tmp_path / "new").exists()


@pytest.mark.both_engines
def test_a_backup_of_the_other_engine_asks_where_it_shall_go(archive: Archive, tmp_path: Path) -> None:
    back_up(tmp_path / "backup", timezone.now())
    other = "sqlite" if archive.engine == "postgresql" else "postgresql"
    with empty_machine(tmp_path / "new", other), pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHIVE_CONFIG")
        with pytest.raises(SettingsError, match="set ARCHIVE_CONFIG to a settings file"):
            restore(source(archive, tmp_path / "backup"))


def test_everything_is_restored_into_an_empty_folder_and_verified(
    archive: Archive, sealed: Arrive, arrive: Arrive, tmp_path: Path
) -> None:
    made = [sealed(seconds=2).id, sealed(seconds=1, reason="interrupted", tail=1).id]
    waiting = arrive(seconds=2, reason=None).id
    outside = brought(make_user("ann", role="custodian"), sound("FLAC"))
    folder = tmp_path / "backup"
    assert back_up(folder, timezone.now()).packages == 3
    assert back_up(folder, timezone.now() + timedelta(seconds=1)).packages == 0
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, folder))
        assert (found.recordings, found.verified, found.failed, found.custody) == (3, 3, (), "")
        assert OutsideRecording.objects.get().sha256 == outside.sha256
        assert {row.pk for row in Recording.objects.all()} == {*made, waiting}
        assert list(audit()) == []


@pytest.mark.parametrize("before", ["_copy_incoming", "copy_packages", "make_generation"])
def test_what_is_sealed_while_a_backup_is_made_is_in_it(
    archive: Archive, arrive: Arrive, tmp_path: Path, before: str
) -> None:
    """Its database knows it as on its way: what had arrived is in the backup, or else its package."""
    made, step = arrive(seconds=1).id, getattr(copying, before)

    def sealing(*given: Any) -> Any:
        seal(made)
        return step(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, before, sealing)
        back_up(tmp_path / "backup", timezone.now())
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, tmp_path / "backup"))
        assert (found.recordings, found.newer, found.failed) == (0, 1, ())
        assert seal(made).state == "sealed"
        assert len(open_audio(Recording.objects.get()).read(0, 100)) == 100
        assert list(audit()) == []


def test_what_had_arrived_and_is_missing_in_a_backup_is_named(archive: Archive, arrive: Arrive, tmp_path: Path) -> None:
    made = arrive(seconds=1).id
    back_up(tmp_path / "backup", timezone.now())
    (folder,) = (tmp_path / "backup").glob("*/incoming")
    shutil.rmtree(folder)
    with empty_machine(tmp_path / "new"):
        assert restore(source(archive, tmp_path / "backup")).failed == (made,)


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_backup_opens_nothing_of_what_was_destroyed(
    archive: Archive, sealed: Arrive, tmp_path: Path, kind: str
) -> None:
    """Both dates of the certificate, with a real backup from before: of the second one on, nothing opens it."""
    scene, other = scene_of(kind, sealed), sealed(seconds=1).id
    folder, destroyed = tmp_path / "backup", scene.row.pk
    copied = folder / package_of(scene.row)
    before = back_up(folder, timezone.now() - timedelta(days=31))
    # somebody kept copies of both encrypted places
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    generation = archive.home / "key-generations" / f"{before.generation}.tar.age"
    (stolen / generation.name).write_bytes(generation.read_bytes())
    package = copied.read_bytes()
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    after = back_up(folder, timezone.now())
    assert (after.removed, forget_old(timezone.now())) == (1, [before.generation])
    assert not copied.exists()
    copied.write_bytes(package)
    with empty_machine(tmp_path / "with-the-old-keys"), pytest.raises(KeyFileError, match="forgotten"):
        restore(Source(folder, stolen, archive.home / "generation-keys", before.name, before.generation))
    with empty_machine(tmp_path / "with-the-new-keys"):
        found = restore(source(archive, folder, name=before.name))
        # the package of then is taken away again, and nobody opens it; the other one is heard
        assert (found.recordings, found.verified, found.erased, found.failed) == (1, 1, 1, ())
        assert not store().exists(package_of(scene.row))
        with pytest.raises(DecryptionError):
            secret_of(destroyed)
        assert secret_of(other)


@pytest.mark.parametrize("kind", KINDS)
def test_within_its_days_a_copy_of_the_keys_does_not_bring_back_what_was_destroyed(
    archive: Archive, sealed: Arrive, tmp_path: Path, kind: str
) -> None:
    scene, folder = scene_of(kind, sealed), tmp_path / "backup"
    before = back_up(folder, timezone.now())
    deeds.carry_out(scene.approved().pk, by=scene.bob)
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, folder, name=before.name, generation=before.generation))
        assert (found.destroyed, found.erased, found.without_key) == (1, 1, 0)
        with pytest.raises(DecryptionError):
            secret_of(scene.row.pk)


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", KINDS)
def test_no_backup_brings_back_the_names_beside_what_was_destroyed(
    archive: Archive, sealed: Arrive, tmp_path: Path, kind: str
) -> None:
    """34 CFR 300.611(a). The backup is of a day on which it was on hold, and its destruction had been proposed."""
    scene, folder = scene_of(kind, sealed), tmp_path / "backup"
    made = scene.approved()
    Destruction.objects.update(reason="Rosa Torres asked for it")
    matter = make_matter("Torres v. District")
    hold_deeds.hold(matter.pk, scene.row, by=scene.ann)
    before = back_up(folder, timezone.now())
    hold_deeds.end_matter(matter.pk, "settled", by=scene.ann)
    deeds.carry_out(made.pk, by=scene.bob)
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, folder, name=before.name))
        assert (found.erased, found.recordings, found.failed, found.custody) == (1, 0, (), "")
        row = find_either(scene.row.pk)
        assert row.destroyed_at is not None
        for model in (Filing, OutsideFiling, Held):
            assert not model.objects.exists(), model
        beside = [*Letter.objects.values(), *Destruction.objects.values(), *Told.objects.values()]
        assert "Torres" not in str(beside)
        assert Told.objects.get().person is None
        (said,) = Entry.objects.filter(code="destroyed")
        assert (said.subject_id, said.member("basis")) == (row.pk, "restored")
        assert not [one for one in contradictions() if row.pk in one or "hold" in one]
        assert destroyed_in(places().keys[0]) == {row.pk}
        # and no trigger was left aside
        with pytest.raises(IntegrityError, match="stays destroyed"), transaction.atomic():
            type(row).objects.update(destroyed_at=None)


def test_a_second_place_is_enough_for_the_keys(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    sealed(seconds=1)
    backup = settings.ARCHIVE.backup.model_copy(
        update={"keys": tmp_path / "nas", "generation_keys": tmp_path / "stick", "folder": tmp_path / "backup"}
    )
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"backup": backup})):
        told = json.loads(archive.run("backup", "--json").stdout)
        assert len(places().keys) == 2
    assert told["new_packages"] == 1
    with empty_machine(tmp_path / "new"):
        found = restore(Source(tmp_path / "backup", tmp_path / "nas", tmp_path / "stick"))
        assert found.verified == 1


def test_the_timer_makes_nothing_until_a_place_is_named(archive: Archive, tmp_path: Path) -> None:
    assert "names no place" in archive.spawn("backup", "--if-named").stdout
    assert not places().keys[0].exists()
    archive.spawn("backup", status=2)
    archive.write_settings(SETTINGS + f'[backup]\nfolder = "{tmp_path / "backup"}"\n')
    archive.spawn("backup", "--if-named")
    assert len(list(backups_in(tmp_path / "backup"))) == 1


def test_it_is_made_under_the_filter_of_its_unit(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    sealed(seconds=1)
    archive.write_settings(SETTINGS + f'[backup]\nfolder = "{tmp_path / "backup"}"\n')
    sandbox = ["tests.systemd.sandbox", "plainsight-archive-backup.service", "--", sys.executable, "-m"]
    done = subprocess.run(
        [sys.executable, "-m", *sandbox, "archive.command", "backup", "--if-named"],
        env={**os.environ, "ARCHIVE_HOME": str(archive.home)}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "1 new packages" in done.stdout) == (0, True), done.stderr


def test_the_commands_on_another_host(
    archive: Archive, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(seconds=1)
    told = archive.spawn("backup", "--to", str(tmp_path / "backup"))
    assert "no second place" in told.stdout
    here = [f"--keys-from={archive.home}/key-generations", f"--generation-keys-from={archive.home}/generation-keys"]
    new = Archive(tmp_path / "new", archive.keys)
    if archive.database:
        # settings of the other host name a database there
        (tmp_path / "new.toml").write_text(SETTINGS + cluster().settings(cluster().create()))
        monkeypatch.setenv("ARCHIVE_CONFIG", str(tmp_path / "new.toml"))
    found = json.loads(new.spawn("restore", f"--from={tmp_path}/backup", *here, "--json").stdout)
    assert (found["recordings"], found["verified"], found["failed"]) == (1, 1, [])
    assert "empty folder" in new.spawn("restore", f"--from={tmp_path}/backup", *here, status=2).stderr
    assert "the custody log is intact" in new.spawn("check-custody").stdout
    nowhere = Archive(tmp_path / "nowhere", archive.keys)
    assert "no complete backup" in nowhere.spawn("restore", f"--from={tmp_path}", *here, status=2).stderr


def test_another_archives_backup_and_a_changed_one_are_refused(
    archive: Archive, sealed: Arrive, tmp_path: Path
) -> None:
    sealed(seconds=1)
    folder = tmp_path / "backup"
    name = back_up(folder, timezone.now()).name
    database = folder / name / "archive.sqlite3"
    data = bytearray(database.read_bytes())
    data[-1] ^= 1
    database.chmod(0o600)
    database.write_bytes(data)
    with empty_machine(tmp_path / "new"), pytest.raises(PlainSightError, match="not the one that was backed up"):
        restore(source(archive, folder))
    with empty_machine(tmp_path / "newer"), pytest.raises(SettingsError, match="has no backup"):
        restore(source(archive, folder, name="20200101T000000Z"))
    (tmp_path / "none").mkdir()
    with empty_machine(tmp_path / "newest"), pytest.raises(KeyFileError, match="no copy of the keys"):
        restore(Source(folder, archive.home / "key-generations", tmp_path / "none"))


def test_a_full_disk_leaves_no_backup(
    archive: Archive, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises((PlainSightError, OSError)):
            back_up(tmp_path / "backup", timezone.now())
    assert backups_in(tmp_path / "backup") == []
    back_up(tmp_path / "backup", timezone.now())
    assert len(backups_in(tmp_path / "backup")) == 1


@pytest.mark.parametrize("after_s", [0.9, 1.3, 1.7])
def test_killed_at_any_moment_there_is_a_whole_backup_or_none(
    archive: Archive, sealed: Arrive, tmp_path: Path, after_s: float
) -> None:
    sealed(seconds=2)
    folder = tmp_path / "backup"
    process = subprocess.Popen(
        [sys.executable, "-m", "archive.command", "backup", f"--to={folder}"],
        env=archive.environment(),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = backups_in(folder)
    back_up(folder, timezone.now() + timedelta(seconds=5))
    keys = archive.home / "generation-keys"
    for name in [*whole, backups_in(folder)[-1]]:
        with empty_machine(tmp_path / f"new-{name}"):
            assert restore(source(archive, folder, name=name)).verified == 1
    assert generations_in(archive.home / "key-generations", keys)


def test_what_a_generation_lost_is_told_and_not_hidden(archive: Archive, sealed: Arrive, tmp_path: Path) -> None:
    old = make_generation(timezone.now() - timedelta(days=1))
    sealed(seconds=1)
    folder = tmp_path / "backup"
    back_up(folder, timezone.now())
    with empty_machine(tmp_path / "new"):
        found = restore(source(archive, folder, generation=old))
        assert (found.verified, found.without_key) == (0, 1)
