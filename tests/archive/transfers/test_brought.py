"""A recording that no box made goes to another district: taken in there as what it is, and never as more."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.keys import KeyRing
from appliance.contract.outside_package import PIECE
from appliance.contract.stop_signal import StopSignal
from appliance.contract.verification import verify_evidence
from appliance.contract.verification.evidence_bag import open_bag
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.check import check as check_custody
from archive.custody.models import Entry
from archive.devices.keyring import key_ring, key_ring_of
from archive.keystore.current import keystore
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings.find import DestroyedError
from archive.recordings.models import Recording
from archive.records.destruction.deeds import carry_out
from archive.records.evidence.package import evidence_package
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.checking import check_outside
from archive.records.outside_recordings.companions import companions_of_outside
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import open_sealed, outside_package
from archive.records.requests.models import Amendment, Statement
from archive.sealing.audit import audit
from archive.store.current import store
from archive.transfers import taking_in, upload_deeds
from archive.transfers.clear_deeds import clear_stored
from archive.transfers.models import State, TakenIn, TakenInDocument, Upload
from archive.transfers.taking_in import Taken, take_in
from archive.transfers.upload_deeds import take_in_all, take_in_one
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.destruction.scene import Scene, decide, file_by_two
from tests.archive.records.factories import make_meeting, make_person, make_right, make_student
from tests.archive.records.outside_recordings.files import SAID, brought, sound
from tests.archive.transfers.test_taking_in import DISTRICT, nothing_is_here, opening
from tests.support.archives import Archive, archive_in

__all__ = ["opening"]
WAV = sound("WAV")
MADE = (timezone.localtime() - timedelta(days=2 * 365)).date()


@dataclass(frozen=True)
class Handed:
    """What the other archive hands over."""

    recording: str
    data: bytes
    ring: KeyRing
    sha256: str
    package: bytes


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory, opening: Identity) -> Handed:
    with archive_in(tmp_path_factory.mktemp("theirs") / "archive"):
        ann = make_user("ann", role="custodian")
        row = brought(ann, WAV, made_on=MADE, brought_on=MADE)
        meeting = make_meeting(make_student("Ana", "Torres"), timezone.now() - timedelta(days=2 * 365))
        filing = filing_deeds.file_outside(row.pk, meeting, by=ann)
        filing_deeds.confirm(row.pk, filing.pk, by=make_user("bob"))
        asked = Amendment.objects.create(
            student=meeting.student, person=make_person(), outside=row, received_on=MADE, text="The hour is wrong."
        )
        Statement.objects.create(amendment=asked, outside=row, text="I asked for one hour.", placed_at=timezone.now())
        data, own = (
            b"".join(evidence_package(row, lambda *_: None, recipient=one))
            for one in (opening.recipient, keystore().recipient)
        )
        with pytest.raises(SettingsError, match="was brought to this archive and is here already"):
            take_in(io.BytesIO(own), key_ring(), DISTRICT, ARCHIVE)
        return Handed(row.pk, data, key_ring(), row.sha256, store().read(outside_package(row.pk)))


@pytest.fixture
def archive(handed: Handed, opening: Identity, tmp_path: Path) -> Iterator[Archive]:
    """The archive here, to which it is addressed."""
    with archive_in(tmp_path / "archive") as made:
        (made.home / "keys" / "opening.txt").unlink()
        opening.save(made.home / "keys" / "opening.txt")
        keystore.cache_clear()
        yield made


def taken(handed: Handed, data: bytes | None = None, ring: KeyRing | None = None) -> Taken:
    return take_in(io.BytesIO(data or handed.data), ring or handed.ring, DISTRICT, ARCHIVE)


def test_it_is_here_as_what_it_was_brought_as(archive: Archive, handed: Handed) -> None:
    done = taken(handed)
    row = OutsideRecording.objects.get()
    assert (row.pk, row.sha256, row.state, row.sealed_by) == (handed.recording, handed.sha256, "sealed", DISTRICT)
    assert not Recording.objects.exists()
    assert store().read(outside_package(row.pk)) == handed.package
    with open_sealed(row) as file:
        assert file.read() == WAV
    check_outside(row)
    assert {name: getattr(row, name) for name in vars(SAID)} == vars(SAID) | {"made_on": MADE, "brought_on": MADE}
    (entry,) = Entry.objects.about(Subject.outside(row.pk))
    assert (entry.code, entry.member("sha256")) == ("outside-transferred-in", handed.sha256)
    assert check_custody() is None
    assert list(audit()) == []
    again = taken(handed)
    assert (done.already, again.already, again.row) == (False, True, done.row)
    assert key_ring_of(row.pk) == KeyRing(archives=[done.row.archive_key])
    assert done.row.archive_key not in key_ring().archives
    key = recording_keys().read(row.pk)
    assert archive.keys.escrow.decrypt(key, 2) == keystore().decrypt_secret(key).secret_line()


def test_a_statement_that_was_placed_there_goes_along_with_each_copy_here(archive: Archive, handed: Handed) -> None:
    """34 CFR 99.21(c)(2): wherever the record is kept."""
    taken(handed)
    (statement,) = companions_of_outside(OutsideRecording.objects.get())
    assert statement.name == "before-statement-1.txt"
    assert isinstance(statement.text, bytes)
    assert b"I asked for one hour." in statement.text


def test_its_evidence_package_is_checked_with_the_keys_of_both(archive: Archive, handed: Handed) -> None:
    taken(handed)
    row = OutsideRecording.objects.get()
    data = b"".join(evidence_package(row, lambda *_: None))
    ring = KeyRing.model_validate_json(archive.run("keyring", "--recording", row.pk).stdout)
    report = verify_evidence(io.BytesIO(data), ring)
    assert (report.verdict, report.problem) == ("as-brought", "")
    assert verify_evidence(io.BytesIO(data), key_ring()).verdict == "tampered"


def test_the_pages_say_where_it_was_sealed_and_who_said_what(archive: Archive, handed: Handed) -> None:
    taken(handed)
    page = check(
        signed_in(archive, "m.jones", role="custodian").get(f"/outside-recordings/{handed.recording}/").content.decode()
    )
    assert f"The archive of {DISTRICT} sealed this recording" in page.text
    assert "no box made it" in page.text
    assert f"The archive of {DISTRICT}, which sealed it" in page.text
    assert "erased" not in page.text


def test_damaged_or_with_other_keys_it_leaves_nothing(archive: Archive, handed: Handed) -> None:
    # the files count; the ZIP around them is only a wrapping (docs/format.md, section 10)
    for name, (start, size) in open_bag(io.BytesIO(handed.data)).members.items():
        for at in sorted({start, start + size // 2, start + size - 1}):
            spoiled = bytearray(handed.data)
            spoiled[at] ^= 1
            with pytest.raises(SettingsError):
                taken(handed, bytes(spoiled))
            assert nothing_is_here(), name
    for ring in (KeyRing(), key_ring()):
        with pytest.raises(SettingsError, match="not taken in"):
            taken(handed, ring=ring)
    assert nothing_is_here()
    assert list(recording_keys().recordings()) == []
    assert list(audit()) == []


def test_stopped_before_its_rows_it_is_taken_in_by_the_same_again(archive: Archive, handed: Handed) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TakenInDocument.objects, "bulk_create", fails)
        with pytest.raises(StorageError):
            taken(handed)
    assert nothing_is_here()
    taken(handed)
    check_outside(OutsideRecording.objects.get())
    assert list(audit()) == []


def test_the_command_says_what_it_is(archive: Archive, handed: Handed, tmp_path: Path) -> None:
    package, ring = tmp_path / "evidence.zip", tmp_path / "ring.json"
    package.write_bytes(handed.data)
    ring.write_text(handed.ring.model_dump_json())
    told = json.loads(archive.run("take-in", str(package), "--keys", str(ring), "--from", DISTRICT, "--json").stdout)
    assert (told["recording"], told["outcome"], told["box"], told["seconds"]) == (
        handed.recording,
        "as-brought",
        None,
        1.0,
    )


def test_destroyed_here_it_leaves_its_tombstone_and_is_not_taken_in_again(archive: Archive, handed: Handed) -> None:
    taken(handed)
    ann, bob = make_user("ann", Deed.DESTROY, Deed.FILE), make_user("bob", Deed.DESTROY, Deed.FILE)
    student, parent, before = make_student(), make_person(), timezone.now() - timedelta(days=2 * 365)
    make_right(parent, student)
    row = OutsideRecording.objects.get()
    file_by_two(row, make_meeting(student, before), ann, bob)
    OutsideRecording.objects.update(arrived_at=before)
    decide(ann)
    scene = Scene(row, ann, bob, student, parent)
    carry_out(scene.approved().pk, by=bob)
    assert not TakenInDocument.objects.exists()
    assert TakenIn.objects.get().district == DISTRICT
    with pytest.raises(DestroyedError):
        taken(handed)


def save_fails(*_: object, **__: object) -> None:
    raise DataError("value too long")


def sent(handed: Handed, ann: User) -> Upload:
    row = upload_deeds.begin(upload_deeds.Said(DISTRICT, handed.ring, "on a stick"), by=ann)
    for at in range(0, len(handed.data), PIECE):
        upload_deeds.add_piece(row.pk, at, len(handed.data), handed.data[at : at + PIECE])
    return upload_deeds.complete(row.pk, by=ann)


def test_given_up_after_a_failed_save_its_key_and_package_go(archive: Archive, handed: Handed) -> None:
    client = signed_in(archive, "carol", role="custodian")
    row = sent(handed, make_user("ann", role="custodian"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TakenInDocument.objects, "bulk_create", save_fails)
        take_in_all(StopSignal())
    name = outside_package(handed.recording)
    assert store().exists(name)
    assert recording_keys().exists(handed.recording)
    clear_stored(StopSignal())
    assert store().exists(name), "it is tried again as long as nobody gives it up"
    answer = client.post(f"/transfers/{row.pk}/give-up/", {"once": "d" * 32}, follow=True)
    assert "is removed within ten minutes" in check(answer.content.decode()).text
    assert "removes both within ten minutes" in check(client.get(f"/transfers/{row.pk}/").content.decode()).text
    with pytest.raises(StorageError, match="being removed"):
        taken(handed)
    clear_stored(StopSignal())
    assert not store().exists(name)
    assert list(recording_keys().recordings()) == []
    assert nothing_is_here()
    assert list(audit()) == []
    assert "removes both" not in client.get(f"/transfers/{row.pk}/").content.decode()
    taken(handed)
    clear_stored(StopSignal())
    check_outside(OutsideRecording.objects.get())


def test_what_a_bucket_locks_is_tried_again_and_opens_no_more(archive: Archive, handed: Handed) -> None:
    ann = make_user("ann", role="custodian")
    row = sent(handed, ann)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TakenInDocument.objects, "bulk_create", save_fails)
        take_in_all(StopSignal())
    upload_deeds.give_up(row.pk, by=ann)

    def locked(*_: object) -> None:
        raise StorageError("what is locked goes when its lock ends")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store()), "remove", locked)
        clear_stored(StopSignal())
    assert Upload.objects.get().stored == handed.recording
    assert not recording_keys().exists(handed.recording)
    clear_stored(StopSignal())
    assert (Upload.objects.get().stored, store().exists(outside_package(handed.recording))) == ("", False)


def test_what_another_run_had_kept_is_not_removed_with_one_that_is_given_up(archive: Archive, handed: Handed) -> None:
    """It may be all that is left where an older database was restored: the audit tells of it, and people decide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TakenInDocument.objects, "bulk_create", save_fails)
        with pytest.raises(DataError):
            taken(handed)
        ann = make_user("ann", role="custodian")
        row = sent(handed, ann)
        take_in_all(StopSignal())
    assert upload_deeds.give_up(row.pk, by=ann).stored == ""
    clear_stored(StopSignal())
    assert store().exists(outside_package(handed.recording))
    with pytest.raises(KeyHeldError):
        recording_keys().destroy_key(handed.recording)


def test_given_up_while_its_row_is_saved_it_is_not_here_and_its_key_goes(archive: Archive, handed: Handed) -> None:
    ann = make_user("ann", role="custodian")
    row, real = sent(handed, ann), taking_in._keep_package

    def given_up(*given: Any) -> None:
        real(*given)
        upload_deeds.give_up(row.pk, by=ann)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking_in, "_keep_package", given_up)
        assert take_in_one(row.pk).state == State.GIVEN_UP
    assert nothing_is_here()
    clear_stored(StopSignal())
    assert list(recording_keys().recordings()) == []
    assert list(audit()) == []
