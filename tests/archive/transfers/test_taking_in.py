"""A recording that goes to another district: taken in as what it is, by that archive alone, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.contract.encryption import Identity
from appliance.contract.errors import PlainSightError, SettingsError, StorageError
from appliance.contract.evidence_package import ENCRYPTED_KEY
from appliance.contract.keys import KeyRing
from appliance.contract.verification import verify_evidence
from archive.custody.actors import ARCHIVE
from archive.devices.keyring import key_ring, key_ring_of
from archive.devices.models import Box
from archive.keystore.current import keystore
from archive.keystore.recording_keys import LocalRecordingKeys, recording_keys
from archive.recordings.companions import companions_of
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.recordings.verification import verify_again
from archive.records.destruction.deeds import carry_out
from archive.records.evidence.package import evidence_package
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.requests.models import Amendment, Statement
from archive.sealing.audit import audit
from archive.store.base import package_name
from archive.store.current import store
from archive.store.local import LocalDraft
from archive.transfers import taking_in
from archive.transfers.models import TakenIn, TakenInDocument
from archive.transfers.taking_in import take_in
from tests.archive.page_fixtures import entries, seal_one, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import NOON, make_filing, make_meeting, make_person, make_right, make_student
from tests.support.archives import Archive, archive_in

DISTRICT = "Springfield R-XII"
SAID = "I asked for one hour."


@dataclass(frozen=True)
class Handed:
    """What the other archive hands over."""

    recording: str
    data: bytes
    ring: KeyRing
    """That archive's, which came by another way."""
    to_itself: bytes
    """The same package, addressed to the archive that made it."""
    copy: bytes
    """The same, as a copy for people."""
    package_sha256: str


def packed(row: Recording, recipient: str = "") -> bytes:
    return b"".join(evidence_package(row, lambda *_: None, recipient=recipient))


@pytest.fixture(scope="module")
def opening() -> Identity:
    """What opens what is handed to the archive here."""
    return Identity.generate()


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory, opening: Identity) -> Handed:
    with archive_in(tmp_path_factory.mktemp("theirs") / "archive") as theirs:
        row = Recording.objects.get(pk=seal_one(theirs, tmp_path_factory.mktemp("spool"), seconds=3).id)
        student, parent = make_student("Ana", "Torres"), make_person("Rosa", "Torres")
        make_right(parent, student)
        make_filing(row.pk, make_meeting(student))
        asked = Amendment.objects.create(
            student=student, person=parent, recording=row, received_on=NOON.date(), text="The hour is wrong."
        )
        Statement.objects.create(amendment=asked, recording=row, text=SAID, placed_at=NOON)
        packages = packed(row, opening.recipient), packed(row, keystore().recipient), packed(row)
        with pytest.raises(SettingsError, match="was made by a box of this archive and is here already"):
            take_in(io.BytesIO(packages[1]), key_ring(), DISTRICT, ARCHIVE)
        return Handed(row.pk, packages[0], key_ring(), packages[1], packages[2], row.package_sha256)


@pytest.fixture
def archive(handed: Handed, opening: Identity, tmp_path: Path) -> Iterator[Archive]:
    """The archive here, to which it is addressed."""
    with archive_in(tmp_path / "archive") as made:
        (made.home / "keys" / "opening.txt").unlink()
        opening.save(made.home / "keys" / "opening.txt")
        keystore.cache_clear()
        yield made


def taken(handed: Handed, data: bytes | None = None, ring: KeyRing | None = None) -> taking_in.Taken:
    return take_in(io.BytesIO(data or handed.data), ring or handed.ring, DISTRICT, ARCHIVE)


def of_box(row: TakenIn) -> Recording:
    assert row.recording is not None
    return row.recording


def nothing_is_here() -> bool:
    return not (
        Recording.objects.exists()
        or OutsideRecording.objects.exists()
        or TakenIn.objects.exists()
        or Box.objects.filter(elsewhere=True).exists()
    )


def test_it_is_here_as_what_it_was_sealed_as(archive: Archive, handed: Handed) -> None:
    done = taken(handed)
    row = of_box(done.row)
    assert (row.pk, row.state, row.outcome, row.package_sha256) == (
        handed.recording,
        "sealed",
        "complete",
        handed.package_sha256,
    )
    assert hashlib.sha256(store().read(package_name(row.pk))).hexdigest() == handed.package_sha256
    report = verify_again(row, ARCHIVE)
    assert (report.verdict, report.problem) == ("intact", "")
    assert any("segments open" in one for one in report.checks)
    (entry,) = entries(row.pk, "transferred-in")
    assert entry.member("evidence_sha256") == hashlib.sha256(handed.data).hexdigest()
    assert archive.run("check-custody").stdout
    assert list(audit()) == []


def test_its_box_and_its_archive_are_believed_for_it_alone(archive: Archive, handed: Handed) -> None:
    row = taken(handed).row
    box = of_box(row).box
    assert box.elsewhere
    assert not box.believes(row.box_key)
    assert key_ring_of(row.pk) == KeyRing(boxes={box.pk: [row.box_key]}, archives=[row.archive_key])
    for ring in (key_ring(), key_ring_of("0" * 32)):
        assert box.pk not in ring.boxes
        assert row.archive_key not in ring.archives
    technician = signed_in(archive, "it.support", role="technician")
    assert box.pk not in technician.get("/boxes/").content.decode()
    listed = signed_in(archive, "m.jones", role="custodian").get("/recordings/").content.decode()
    assert f'<option value="{box.pk}"' not in listed


def test_a_box_that_is_enrolled_here_later_is_ours_from_then_on(archive: Archive, handed: Handed) -> None:
    row = taken(handed).row
    archive.run("add-box", "--box", of_box(row).box_id, "--key", archive.keys.courier.public, status=2)
    keys = archive.keys.__class__(box=of_box(row).box_id)
    assert not archive.enroll(keys).elsewhere
    assert verify_again(of_box(row), ARCHIVE).verdict == "intact"


def test_what_parents_placed_with_it_goes_along_with_each_copy(archive: Archive, handed: Handed) -> None:
    row = of_box(taken(handed).row)
    (one,) = companions_of(row, None)
    assert SAID.encode() in (one.text if isinstance(one.text, bytes) else one.text.encode())
    ring = KeyRing.model_validate_json(archive.run("keyring", "--recording", row.pk).stdout)
    data = packed(row)
    assert verify_evidence(io.BytesIO(data), ring).verdict == "intact"
    assert verify_evidence(io.BytesIO(data), key_ring()).verdict == "tampered"
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    assert json.loads(held["data/records/origin.json"])[0]["district"] == DISTRICT
    assert b"transferred-in" in held["data/custody/entries.jsonl"]
    assert b'"seal"' in held["data/records/origin/custody-entries.jsonl"]
    assert DISTRICT in held["data/summary.html"].decode()


def test_the_page_says_where_it_is_from(archive: Archive, handed: Handed) -> None:
    row = taken(handed).row
    text = signed_in(archive, "m.jones", role="custodian").get(f"/recordings/{row.pk}/").content.decode()
    assert f"The archive of {DISTRICT} sealed this recording" in text
    assert row.archive_key in text
    check(text)


def test_its_key_is_encrypted_to_this_archive_and_its_escrow(archive: Archive, handed: Handed) -> None:
    taken(handed)
    key = recording_keys().read(handed.recording)
    assert archive.run("keyring", "--recipient").stdout.strip() == keystore().recipient
    assert archive.keys.escrow.decrypt(key, 2) == keystore().decrypt_secret(key).secret_line()
    assert not TakenInDocument.objects.filter(name__contains="key").exists()


def test_the_same_package_again_changes_nothing(archive: Archive, handed: Handed) -> None:
    first = taken(handed)
    again = taken(handed)
    assert (first.already, again.already, again.row) == (False, True, first.row)
    assert len(entries(handed.recording, "transferred-in")) == 1
    told = archive.run("audit").stdout
    assert "fit each other" in told


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (
            "to_itself",
            "it is addressed to another archive; ask for a transfer, and give the other archive the recipient",
        ),
        ("copy", "it is a copy for people; ask the other archive for a transfer"),
    ],
)
def test_what_is_not_for_this_archive_is_refused(archive: Archive, handed: Handed, what: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        taken(handed, getattr(handed, what))
    assert nothing_is_here()
    assert list(audit()) == []


def test_without_the_other_archive_s_keys_it_is_refused(archive: Archive, handed: Handed) -> None:
    for ring in (KeyRing(), KeyRing(archives=handed.ring.archives), KeyRing(boxes=handed.ring.boxes), key_ring()):
        with pytest.raises(SettingsError, match="it is not taken in"):
            taken(handed, ring=ring)
    assert nothing_is_here()


def test_a_sealed_package_alone_is_no_transfer(archive: Archive, handed: Handed) -> None:
    with zipfile.ZipFile(io.BytesIO(handed.data)) as file:
        inner = file.read(f"evidence-{handed.recording}/data/recording/{handed.recording}.zip")
    for data in (inner, b"", b"PK\x03\x04", b"a letter"):
        with pytest.raises(SettingsError, match="it is no evidence package"):
            taken(handed, data or b"\0")
    assert nothing_is_here()


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_damaged_is_refused_and_leaves_nothing(
    archive: Archive, handed: Handed, where: float, bit: int, cut: bool
) -> None:
    data, at = bytearray(handed.data), int(where * len(handed.data))
    data[at] ^= 1 << bit
    try:
        taken(handed, bytes(handed.data[:at] if cut else data) or b"\0")
    except PlainSightError:
        assert nothing_is_here()
        assert list(recording_keys().recordings()) == []
    else:
        # a bit of the ZIP's wrapping that means nothing: what was taken in is what was sealed
        assert Recording.objects.get().package_sha256 == handed.package_sha256
        raise AssertionError(f"bit {bit} of byte {at} of {len(data)} was not noticed")


def _full(*_: Any, **__: Any) -> None:
    raise StorageError(f"the store failed: {errno.errorcode[errno.ENOSPC]}")


@pytest.mark.parametrize(
    ("place", "name"), [(LocalRecordingKeys, "put_once"), (LocalDraft, "write"), (LocalDraft, "publish")]
)
def test_a_full_disk_takes_nothing_in_and_the_same_again_works(
    archive: Archive, handed: Handed, place: type, name: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, _full)
        with pytest.raises(StorageError):
            taken(handed)
    assert nothing_is_here()
    assert verify_again(of_box(taken(handed).row), ARCHIVE).verdict == "intact"
    assert list(audit()) == []


def test_stopped_before_its_rows_it_is_told_and_taken_in_by_the_same_again(archive: Archive, handed: Handed) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TakenIn, "save", _full)
        with pytest.raises(StorageError):
            taken(handed)
    assert nothing_is_here()
    (finding,) = audit()
    assert (finding.code, finding.recording) == ("no-row", handed.recording)
    assert verify_again(of_box(taken(handed).row), ARCHIVE).verdict == "intact"


def test_a_path_that_no_row_holds_is_refused_before_anything_is_kept(archive: Archive, handed: Handed) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking_in, "_LONGEST", 20)
        with pytest.raises(SettingsError, match="a path of more than 20 characters"):
            taken(handed)
    assert nothing_is_here()
    assert list(audit()) == []


def test_another_key_in_its_place_is_not_believed(archive: Archive, handed: Handed) -> None:
    taken(handed)
    with pytest.raises(SettingsError, match="another key"):
        taking_in._keep_key(handed.recording, Identity.generate())


def test_destroyed_it_leaves_no_document_and_is_not_taken_in_again(archive: Archive, handed: Handed) -> None:
    taken(handed)
    scene = make_scene(handed.recording)
    carry_out(scene.approved().pk, by=scene.bob)
    assert not TakenInDocument.objects.exists()
    assert TakenIn.objects.get().district == DISTRICT
    with pytest.raises(DestroyedError):
        taken(handed)


def test_the_command_says_what_is_here(archive: Archive, handed: Handed, tmp_path: Path) -> None:
    package, ring = tmp_path / "evidence.zip", tmp_path / "ring.json"
    package.write_bytes(handed.data)
    ring.write_text(handed.ring.model_dump_json())
    told = json.loads(archive.run("take-in", str(package), "--keys", str(ring), "--from", DISTRICT, "--json").stdout)
    assert (told["recording"], told["seconds"], told["already"]) == (handed.recording, 3.0, False)
    assert told["documents"] == TakenInDocument.objects.count() > 5
    again = archive.run("take-in", str(package), "--keys", str(ring), "--from", DISTRICT).stdout
    assert "was taken in before" in again


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("missing.zip", "--from", "x"), "PACKAGE"),
        (("ring.json", "--from", "x"), "PACKAGE"),
        (("ring.json", "--from", " "), "--from"),
        (("ring.json", "--from", "x" * 201), "--from"),
    ],
)
def test_what_was_typed_wrong_is_named(
    archive: Archive, handed: Handed, tmp_path: Path, arguments: tuple[str, ...], field: str
) -> None:
    (tmp_path / "ring.json").write_text(handed.ring.model_dump_json())
    name, *others = arguments
    said = archive.run("take-in", str(tmp_path / name), "--keys", str(tmp_path / "ring.json"), *others, status=2).stderr
    assert field in said


def test_key_of_a_transfer_alone_opens_in_this_archive(handed: Handed) -> None:
    """The fixture is what it says: no key in plain, and one that is encrypted."""
    with zipfile.ZipFile(io.BytesIO(handed.data)) as file:
        names = {name.partition("/")[2] for name in file.namelist()}
    assert ENCRYPTED_KEY in names
    assert not {name for name in names if name.endswith((".flac", "key.txt"))}
