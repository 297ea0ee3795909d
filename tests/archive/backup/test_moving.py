"""What is kept for good moves from the disk into a bucket and back: resumable, verified, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.conf import settings

from appliance.contract.errors import SettingsError, StorageError
from archive.backup.moving import Moved, is_destroyed, move, sealed_digests
from archive.configuration.storage import Store as StoreSettings
from archive.recordings.models import Recording
from archive.store.base import derivatives_folder, package_name
from archive.store.local import LocalStore
from archive.store.s3 import S3Store
from tests.archive.page_fixtures import Arrive
from tests.archive.records.factories import make_hold, make_matter
from tests.support.archives import Archive, change_as_owner
from tests.support.lying_s3 import Liar
from tests.support.s3_stores import connected, on_liar

IDS = ("0" * 32, "1" * 32)
KEPT = {
    package_name(IDS[0]): b"a package" * 1000,
    package_name(IDS[1]): b"",
    f"outside/22/{'2' * 32}.zip": b"of a spare recorder",
    f"{derivatives_folder(IDS[0])}/copy.zip": b"a redacted copy",
}


@pytest.fixture
def disk(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "disk")
    for name, data in KEPT.items():
        made.put_once(name, data)
    made.add_incoming(IDS[0], "lines-00000000", [b"what arrives stays"])
    return made


@pytest.fixture
def bucket(liar: Liar, tmp_path: Path) -> S3Store:
    return connected(tmp_path, on_liar(liar, tmp_path))


def ignore(_moved: Moved) -> None:
    pass


def none(_name: str) -> bool:
    return False


def kept_in(store: LocalStore | S3Store) -> dict[str, bytes]:
    return {name: store.read(name) for folder in ("packages", "outside", "derivatives") for name in store.names(folder)}


def test_all_of_it_goes_to_the_bucket_and_comes_back(disk: LocalStore, bucket: S3Store, tmp_path: Path) -> None:
    there = move(disk, bucket, {}, ignore, destroyed=none)
    assert (there.complete, there.objects, there.copied) == (True, 4, 4)
    assert there.bytes == sum(map(len, KEPT.values()))
    again = LocalStore(tmp_path / "again")
    assert move(bucket, again, {}, ignore, destroyed=none).complete
    assert kept_in(disk) == kept_in(bucket) == kept_in(again) == KEPT


def test_a_run_that_broke_off_is_resumed_and_copies_nothing_twice(
    disk: LocalStore, bucket: S3Store, liar: Liar
) -> None:
    def break_off(moved: Moved) -> None:
        liar.lies = {"unavailable"} if moved.verified == 2 else set()

    with pytest.raises(StorageError):
        move(disk, bucket, {}, break_off, destroyed=none)
    liar.lies, liar.asked = set(), []
    found = move(disk, bucket, {}, ignore, destroyed=none)
    assert (found.complete, found.verified, found.copied) == (True, 4, 2)
    assert len([line for line in liar.asked if line.startswith("PUT")]) == 2


def test_other_bytes_at_the_target_are_told_and_nothing_is_removed(disk: LocalStore, bucket: S3Store) -> None:
    bucket.put_once(package_name(IDS[0]), b"x" * 9000)
    bucket.put_once(package_name(IDS[1]), b"not empty")
    found = move(disk, bucket, {}, ignore, destroyed=none)
    assert set(found.failed) == {package_name(one) for one in IDS}
    assert not found.complete
    with pytest.raises(SettingsError, match="nothing was removed: 2 objects"):
        move(disk, bucket, {}, ignore, destroyed=none, remove=True)
    assert kept_in(disk) == KEPT


def test_what_is_not_as_it_was_sealed_goes_nowhere(disk: LocalStore, bucket: S3Store) -> None:
    name = package_name(IDS[0])
    found = move(disk, bucket, {name: hashlib.sha256(b"as it was sealed").hexdigest()}, ignore, destroyed=none)
    assert list(found.failed) == [name]
    assert "restore it" in found.failed[name]
    assert not bucket.exists(name)


def test_what_was_destroyed_since_an_earlier_run_is_told(disk: LocalStore, bucket: S3Store) -> None:
    move(disk, bucket, {}, ignore, destroyed=none)
    disk.remove(package_name(IDS[0]))
    found = move(disk, bucket, {}, ignore, destroyed=none)
    assert (found.complete, found.only_at_target) == (False, [package_name(IDS[0])])


def test_what_is_new_in_a_target_in_use_keeps_no_source_from_being_emptied(disk: LocalStore, bucket: S3Store) -> None:
    move(disk, bucket, {}, ignore, destroyed=none)
    bucket.put_once(package_name("3" * 32), b"sealed since")
    found = move(disk, bucket, {}, ignore, destroyed=none, in_use=True, remove=True)
    assert (found.complete, found.removed, found.only_at_target) == (True, 4, [])
    assert kept_in(disk) == {}


def test_what_was_destroyed_in_the_target_is_not_brought_there_again(disk: LocalStore, bucket: S3Store) -> None:
    move(disk, bucket, {}, ignore, destroyed=none)
    gone = [name for name in KEPT if IDS[0] in name]
    for name in gone:
        bucket.remove(name)
    found = move(disk, bucket, {}, ignore, destroyed=gone.__contains__, in_use=True, remove=True)
    assert (found.complete, found.objects, found.copied, found.destroyed, found.removed) == (True, 2, 0, 2, 4)
    assert not [name for name in gone if bucket.exists(name) or disk.exists(name)]


def test_the_source_is_emptied_only_when_asked_and_after_all_of_it_was_verified(
    disk: LocalStore, bucket: S3Store, liar: Liar
) -> None:
    move(disk, bucket, {}, ignore, destroyed=none)
    assert kept_in(disk) == KEPT
    liar.objects[package_name(IDS[0])][0].data = b"rotten" * 1500
    with pytest.raises(SettingsError, match="nothing was removed"):
        move(disk, bucket, {}, ignore, destroyed=none, remove=True)
    assert kept_in(disk) == KEPT
    liar.objects[package_name(IDS[0])][0].data = KEPT[package_name(IDS[0])]
    assert move(disk, bucket, {}, ignore, destroyed=none, remove=True).removed == 4
    assert kept_in(disk) == {}
    assert kept_in(bucket) == KEPT
    assert disk.incoming() == [IDS[0]]


def test_the_commands_prove_move_and_say_what_is_next(
    archive: Archive, sealed: Arrive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    assert "store.s3" in archive.run("move-store", "--to", "s3", status=2).stderr
    assert "store.s3" in archive.run("check-store", status=2).stderr
    make_hold(make_matter(), recording=row)
    chosen = StoreSettings(engine="disk", s3=on_liar(liar, tmp_path))
    monkeypatch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"store": chosen}))
    assert "check-store" in archive.run("move-store", "--to", "s3", status=2).stderr
    liar.lies = {"deletes"}
    assert not json.loads(archive.run("check-store", "--json", status=1).stdout)["ok"]
    liar.lies, liar.objects = set(), {}
    assert json.loads(archive.run("check-store", "--json").stdout)["ok"]
    told = archive.run("move-store", "--to", "s3").stdout
    assert "engine = 's3'" in told
    assert [one.held for one in liar.objects[row.package]] == [True], "it is on hold, there as well"
    assert sealed_digests() == {row.package: hashlib.sha256(liar.first(row.package) or b"").hexdigest()}
    for refused in (("--to", "s3", "--remove-source"), ("--to", "disk", "--remove-source")):
        assert "--remove-source" in archive.run("move-store", *refused, status=2).stderr
    used = chosen.model_copy(update={"engine": "s3"})
    monkeypatch.setattr(settings, "ARCHIVE", settings.ARCHIVE.model_copy(update={"store": used}))
    done = json.loads(archive.run("move-store", "--to", "s3", "--remove-source", "--json").stdout)
    assert (done["complete"], done["removed"], done["copied"]) == (True, 1, 0)
    assert not (archive.home / "store" / row.package).exists()
    copy = f"{derivatives_folder(row.pk)}/copy.zip"
    assert not is_destroyed(row.package)
    assert not is_destroyed(copy)
    change_as_owner("UPDATE recordings_recording SET destroyed_at = sealed_at")
    assert is_destroyed(row.package)
    assert is_destroyed(copy)
    change_as_owner("UPDATE recordings_recording SET destroyed_at = NULL")
    assert archive.run("verify", row.pk).stdout
    assert archive.run("audit").stdout
