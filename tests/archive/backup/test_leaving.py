"""A district leaves with everything, in formats that others read, and comes in again on another host."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from itertools import product
from pathlib import Path
from typing import Any

import bagit
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.errors import DecryptionError, SettingsError, StorageError
from archive.backup.exporting import KEYS, MANIFEST, Exported, export_archive
from archive.backup.importing import import_archive
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.enrollment.deeds import give_claim
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording
from archive.records.destruction.deeds import carry_out
from archive.sealing.audit import audit
from archive.store.local import LocalStore
from tests.archive.backup.test_backup import all_rows, empty_machine
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import make_student
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive


@pytest.fixture
def identity() -> Identity:
    return Identity.generate()


@pytest.fixture
def filled(archive: Archive, sealed: Arrive, arrive: Arrive) -> Archive:
    """An archive with a sealed recording and its people, one that no box made, and one on its way."""
    make_scene(sealed(seconds=2).id)
    arrive(seconds=1, reason=None)
    brought(make_user("colleague"), sound("FLAC"))
    make_student("Zoë", "O'Neil \u2028")
    give_claim("Room 77", by=ARCHIVE, now=timezone.now())
    return archive


def exported(folder: Path, identity: Identity) -> Exported:
    return export_archive(folder, identity.recipient, timezone.now(), ARCHIVE)


@pytest.mark.both_engines
@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_all_of_it_comes_in_again_on_either_engine(
    filled: Archive, identity: Identity, tmp_path: Path, into: str
) -> None:
    made = exported(tmp_path / "leaving", identity)
    before = all_rows()
    keys = {name: recording_keys().read(name) for name in recording_keys().recordings()}
    assert made.rows >= sum(map(len, before.values()))
    (entry,) = Entry.objects.filter(code="archive-exported")
    assert entry.member("recipient") == identity.recipient
    with empty_machine(tmp_path / "new", into):
        found = import_archive(made.folder, identity)
        assert (found.recordings, found.verified, found.failed, found.custody) == (2, 2, (), "")
        after = all_rows()
        count = len(before["custody_entry"])
        # each verification is an entry of its own
        after["custody_entry"], after["custody_head"] = after["custody_entry"][:count], before["custody_head"]
        assert after == before
        assert {name: recording_keys().read(name) for name in recording_keys().recordings()} == keys
        assert list(audit()) == []
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Entry.objects.all().delete()
        with pytest.raises(SettingsError, match="restore into an empty folder"):
            import_archive(made.folder, identity)


def test_others_read_it_without_any_program_of_ours(filled: Archive, identity: Identity, tmp_path: Path) -> None:
    made = exported(tmp_path, identity)
    bag = bagit.Bag(str(made.folder))
    bag.validate()
    rows = made.folder / "data" / "rows"
    schema = json.loads((rows / "schema.json").read_text())
    people = [json.loads(line) for line in (rows / schema["people.student"]["file"]).read_text().splitlines()]
    assert {"Ana", "Zoë"} <= {one["given_name"] for one in people}
    assert all(set(one) == set(schema["people.student"]["columns"]) for one in people)
    recording = Recording.objects.get(state="sealed")
    package = made.folder / "data" / "store" / recording.package
    assert package.stat().st_size == recording.package_size
    with tarfile.open(fileobj=io.BytesIO(identity.decrypt((made.folder / KEYS).read_bytes()))) as file:
        names = set(file.getnames())
    assert {f"recording-keys/{recording.pk}.age", "keys/opening.txt", "keys/signing.pem"} <= names


def test_without_the_identity_nothing_opens(filled: Archive, identity: Identity, tmp_path: Path) -> None:
    made = exported(tmp_path / "leaving", identity)
    for path in (made.folder / "data").rglob("*"):
        assert b"AGE-SECRET-KEY" not in (path.read_bytes() if path.is_file() else b"")
        assert b"PRIVATE KEY" not in (path.read_bytes() if path.is_file() else b"")
    with empty_machine(tmp_path / "new"):
        with pytest.raises(DecryptionError):
            import_archive(made.folder, Identity.generate())
        assert not (tmp_path / "new").exists()


def test_what_was_destroyed_is_not_taken_along(
    archive: Archive, sealed: Arrive, identity: Identity, tmp_path: Path
) -> None:
    scene = make_scene(sealed(seconds=1).id)
    carry_out(scene.approved().pk, by=scene.bob)
    made = exported(tmp_path / "leaving", identity)
    assert made.recordings == 0
    assert not list(made.folder.rglob("*.zip"))
    with empty_machine(tmp_path / "new"):
        found = import_archive(made.folder, identity)
        assert (found.recordings, found.custody) == (0, "")
        assert Recording.objects.get().destroyed_at is not None
        assert list(audit()) == []


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        *product(
            ("changed", "gone", "added"), ("data/rows/people.student.jsonl", "data/archive.toml", KEYS, "package")
        ),
        # beside the payload anything may lie
        *product(("changed", "gone"), (MANIFEST,)),
    ],
)
def test_what_was_changed_lost_or_added_is_refused_and_nothing_is_taken(
    filled: Archive, identity: Identity, tmp_path: Path, name: str, how: str
) -> None:
    made = exported(tmp_path / "leaving", identity)
    path = next(made.folder.glob("data/store/packages/*/*.zip")) if name == "package" else made.folder / name
    if how == "changed":
        _flip(path)
    elif how == "gone":
        path.unlink()
    else:
        shutil.copy(path, path.with_name(f"x{path.name}"))
    with empty_machine(tmp_path / "new"):
        with pytest.raises(StorageError):
            import_archive(made.folder, identity)
        assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_no_export(filled: Archive, identity: Identity, tmp_path: Path) -> None:
    def full(*_: Any) -> bytes:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "read_range", full)
        with pytest.raises(StorageError, match="No space left"):
            exported(tmp_path, identity)
    assert not [path for path in tmp_path.iterdir() if path.name.lstrip(".").startswith("archive-")]
    assert exported(tmp_path, identity).recordings == 2


def test_the_commands(filled: Archive, identity: Identity, tmp_path: Path) -> None:
    identity.save(tmp_path / "identity.txt")
    told = filled.run("export-archive", "--to", str(tmp_path), "--recipient", identity.recipient, "--json").stdout
    made = json.loads(told)
    assert (made["recordings"], Path(made["folder"]).parent) == (2, tmp_path)
    assert "--recipient" in filled.run("export-archive", "--to", str(tmp_path), "--recipient", "x", status=2).stderr
    with empty_machine(tmp_path / "new"):
        options = ("--identity", str(tmp_path / "identity.txt"))
        assert "FOLDER" in filled.run("import-archive", str(tmp_path), *options, status=2).stderr
        said = filled.run("import-archive", made["folder"], *options).stdout
    assert "verified 2 of 2 recordings" in said
