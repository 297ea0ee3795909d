"""A file is taken in by pieces, sealed byte for byte, and is whole or not there, whatever is killed in between."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import StorageError
from appliance.contract.outside_package import LONGEST, PIECE, OutsideReceipt, piece_name, pieces
from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.check import contradictions
from archive.custody.models import Entry
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.outside_recordings import seal_deeds, take_in_deeds
from archive.records.outside_recordings.media import NotSoundError
from archive.records.outside_recordings.models import OutsideRecording, Piece, State
from archive.records.outside_recordings.plain_file import open_file, outside_package
from archive.records.outside_recordings.rules import OtherFileError, PieceError, check_piece
from archive.records.outside_recordings.seal_deeds import seal_all, seal_outside
from archive.sealing.audit import audit
from archive.store.current import store
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.records.factories import make_hold, make_matter
from tests.support.archives import Archive, change_as_owner

from .files import SAID, bring, brought, m4a, send, sound, track

WAV = sound("WAV", 160)
"""Of three pieces, the last one not whole."""


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


def codes(pk: str) -> list[str]:
    return [one.code for one in Entry.objects.about(Subject.outside(pk)).order_by("n")]


def whole(row: OutsideRecording) -> bytes:
    with open_file(row) as file:
        return file.read()


@given(st.integers(1, LONGEST), st.data())
def test_every_byte_lies_in_one_piece(size: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, pieces(size) - 1))
    at = number * PIECE
    assert check_piece(at, size, min(PIECE, size - at), LONGEST) == number
    for wrong in ((at + 1, size, 1), (at, size, PIECE + 1), (-PIECE, size, PIECE), (pieces(size) * PIECE, size, 1)):
        with pytest.raises(PieceError):
            check_piece(*wrong, LONGEST)
    with pytest.raises(PieceError, match="MiB"):
        check_piece(at, size, min(PIECE, size - at), size - 1)


def test_it_is_kept_byte_for_byte_and_opens_with_stock_tools(archive: Archive, ann: User, tmp_path: Path) -> None:
    row = brought(ann, WAV)
    assert row.state == State.SEALED
    assert whole(row) == WAV
    assert (row.sha256, row.size, row.media_type) == (hashlib.sha256(WAV).hexdigest(), len(WAV), "audio/wav")
    assert codes(row.pk) == ["outside-begun", "outside-arrived", "outside-sealed"]
    package = store().read(outside_package(row.pk))
    assert row.package_sha256 == hashlib.sha256(package).hexdigest()
    with zipfile.ZipFile(io.BytesIO(package)) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    folder = tmp_path / row.pk
    subprocess.run(["sha256sum", "--check", "--quiet", "manifest-sha256.txt"], cwd=folder, check=True)
    secret = archive.keys.archive.decrypt(recording_keys().read(row.pk), 8).decode()
    key = tmp_path / "key.txt"
    key.write_text(secret)
    opened = b""
    for number in range(pieces(len(WAV))):
        command = ["age", "--decrypt", "--identity", str(key), str(folder / piece_name(number))]
        opened += subprocess.run(command, check=True, capture_output=True).stdout
    assert opened == WAV


def test_the_receipt_says_its_grade_and_is_signed(archive: Archive, ann: User) -> None:
    row = brought(ann, WAV)
    receipt = OutsideReceipt.read(bytes(row.receipt or b""), archive.keys.archive_signing.public)
    assert receipt.grade == "not-made-by-a-box"
    assert (receipt.recording, receipt.sha256, receipt.size) == (row.pk, row.sha256, row.size)
    info = zipfile.ZipFile(io.BytesIO(store().read(outside_package(row.pk)))).read(f"{row.pk}/bag-info.txt")
    assert b"Grade: not-made-by-a-box\n" in info


def test_nothing_of_it_is_ever_plain_on_a_disk(archive: Archive, ann: User) -> None:
    mark = b"only for this test, no other file holds it"
    data = sound("WAV") + mark * 40
    row = bring(ann, data)
    found = [path for path in archive.home.rglob("*") if path.is_file() and mark in path.read_bytes()]
    assert not found
    seal_outside(row.pk)
    found = [path for path in archive.home.rglob("*") if path.is_file() and mark in path.read_bytes()]
    assert not found


def test_a_piece_that_is_sent_again_is_known_and_another_files_is_refused(ann: User) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    first, size = WAV[:PIECE], len(WAV)
    assert take_in_deeds.add_piece(row.pk, 0, size, first) == PIECE
    assert take_in_deeds.add_piece(row.pk, 0, size, first) == PIECE
    with pytest.raises(OtherFileError):
        take_in_deeds.add_piece(row.pk, 0, size, first[:-1] + b"x")
    with pytest.raises(OtherFileError):
        take_in_deeds.add_piece(row.pk, PIECE, size + 1, WAV[PIECE : 2 * PIECE])
    with pytest.raises(PieceError):
        take_in_deeds.add_piece(row.pk, 2 * PIECE, size, WAV[2 * PIECE :])
    with pytest.raises(DeedError, match="Not all"):
        take_in_deeds.complete(row.pk, by=ann)
    send(row, WAV)
    take_in_deeds.complete(row.pk, by=ann)
    with pytest.raises(DeedError):
        take_in_deeds.add_piece(row.pk, 0, size, first)
    assert whole(seal_outside(row.pk)) == WAV


def test_what_is_no_sound_is_refused_at_its_first_piece_or_at_its_end(ann: User) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    with pytest.raises(NotSoundError):
        take_in_deeds.add_piece(row.pk, 0, 20, b"<svg onload='x'/>   ")
    assert not recording_keys().exists(row.pk)
    film = m4a(track(b"soun"), track(b"vide"))
    send(row, film)
    with pytest.raises(NotSoundError, match="pictures"):
        take_in_deeds.complete(row.pk, by=ann)
    assert OutsideRecording.objects.get(pk=row.pk).state == State.ARRIVING


def test_giving_up_leaves_nothing_but_the_log(ann: User) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
    take_in_deeds.give_up(row.pk, by=ann)
    row.refresh_from_db()
    assert (row.state, row.place, row.made_by, row.since, row.brought_by) == (State.GIVEN_UP, "", "", "", "")
    assert not recording_keys().exists(row.pk)
    assert row.pk not in store().incoming()
    assert not Piece.objects.exists()
    assert codes(row.pk) == ["outside-begun", "outside-given-up"]
    with pytest.raises(DeedError):
        take_in_deeds.give_up(row.pk, by=ann)
    with pytest.raises(UnknownRecordError):
        take_in_deeds.give_up("0" * 32, by=ann)


def test_one_that_a_locked_package_holds_keeps_no_other_from_its_seal(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seal that was killed left its package in a bucket that lets nothing go before its lock ends."""
    stuck, good = bring(ann, sound("FLAC")), bring(ann, sound("FLAC"))
    kind: Any = type(store())
    real = kind.remove

    def locked(self: object, name: str) -> None:
        if name == outside_package(stuck.pk):
            raise StorageError("what is locked goes when its lock ends")
        real(self, name)

    monkeypatch.setattr(kind, "remove", locked)
    assert take_in_deeds.give_up(stuck.pk, by=ann).state == State.GIVEN_UP
    assert not take_in_deeds.is_cleared(stuck.pk)
    assert not recording_keys().exists(stuck.pk)
    assert stuck.pk not in store().incoming(), "what can go is gone"
    seal_all(StopSignal())
    good.refresh_from_db()
    assert good.state == State.SEALED
    monkeypatch.undo()
    assert Piece.objects.filter(outside=stuck).exists(), "so it is tried again"
    take_in_deeds.clear_all(StopSignal())
    assert not Piece.objects.filter(outside=stuck).exists()
    assert take_in_deeds.is_cleared(stuck.pk)


def test_whoever_gives_up_is_told_what_the_store_did_while_it_was_away(
    archive: Archive, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is that of the rows: given up, and what is left is told and removed by the worker."""
    client = signed_in(archive, "carol", role="custodian")
    first = bring(ann, sound("FLAC"))

    def away(_self: object, _name: str) -> None:
        raise StorageError("S3 did not answer; it is tried again later")

    def give_up(row: OutsideRecording, token: str) -> str:
        answer = client.post(f"/outside-recordings/{row.pk}/give-up/", {"once": token * 32}, follow=True)
        row.refresh_from_db()
        assert (answer.status_code, row.state) == (200, State.GIVEN_UP)
        return str(answer.content.decode())

    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "remove", away)
        told = give_up(first, "a")
        assert "removes what is left" in told
        assert "Nothing of it is kept" not in told
        assert not recording_keys().exists(first.pk)
        seal_all(StopSignal())
        assert not take_in_deeds.is_cleared(first.pk)
    seal_all(StopSignal())
    assert take_in_deeds.is_cleared(first.pk)
    second = bring(ann, sound("FLAC"))
    assert "Nothing of it is kept" in give_up(second, "b")
    assert codes(first.pk) == codes(second.pk)


def test_one_on_hold_is_not_given_up(ann: User) -> None:
    row = bring(ann, sound("FLAC"))
    make_hold(make_matter(), outside=row)
    with pytest.raises(DeedError, match="on hold"):
        take_in_deeds.give_up(row.pk, by=ann)
    row.refresh_from_db()
    assert (row.state, row.place != "", recording_keys().exists(row.pk)) == (State.ARRIVED, True, True)
    assert "outside-given-up" not in codes(row.pk)


def test_a_sealed_one_is_not_given_up_and_its_key_not_destroyed(ann: User) -> None:
    row = brought(ann, sound("FLAC"))
    with pytest.raises(DeedError):
        take_in_deeds.give_up(row.pk, by=ann)
    with pytest.raises(KeyHeldError):
        recording_keys().destroy_key(row.pk)


STEPS = {
    "while the package is written": "write_bag",
    "before it is read back": "require_same",
    "after the package has its name": "_take_over",
    "inside the commit": "packed",
}


class KilledError(BaseException):
    """Nothing in the program expects it, like a kill."""


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_in_the_seal_leaves_the_old_state_and_the_next_attempt_the_same_bytes(
    archive: Archive, ann: User, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring(ann, WAV)

    def kill(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(seal_deeds, STEPS[step], kill)
        with pytest.raises(KilledError):
            seal_outside(row.pk)
    row.refresh_from_db()
    assert row.state == State.ARRIVED
    before = store().read(outside_package(row.pk)) if store().exists(outside_package(row.pk)) else None
    seal_all(StopSignal())
    row.refresh_from_db()
    assert row.state == State.SEALED
    assert before in {None, store().read(outside_package(row.pk))}
    assert whole(row) == WAV
    assert row.pk not in store().incoming()
    assert codes(row.pk).count("outside-sealed") == 1


def test_a_kill_while_it_is_given_up_is_completed_by_the_worker(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])

    def kill(_: str) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(take_in_deeds, "clear", kill)
        with pytest.raises(KilledError):
            take_in_deeds.give_up(row.pk, by=ann)
    assert recording_keys().exists(row.pk)
    seal_all(StopSignal())
    assert not recording_keys().exists(row.pk)
    assert row.pk not in store().incoming()


def test_no_transaction_waits_for_key_store_or_store_while_pieces_arrive(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []

    def watched(kind: type, name: str) -> None:
        real = getattr(kind, name)

        def call(*given: Any) -> Any:
            if connection.in_atomic_block:
                waited.append(f"{kind.__name__}.{name}")
            return real(*given)

        monkeypatch.setattr(kind, name, call)

    for name in ("exists", "put_once", "read"):
        watched(type(recording_keys()), name)
    for name in ("add_incoming", "remove_incoming"):
        watched(type(store()), name)
    row = take_in_deeds.begin(SAID, by=ann)
    send(row, WAV)
    assert waited == []


@pytest.mark.parametrize("killed", ["put_once", "add_incoming"])
def test_a_kill_around_the_first_piece_leaves_what_the_next_one_goes_on_with(
    ann: User, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    kind: Any = type(recording_keys()) if killed == "put_once" else type(store())
    real = getattr(kind, killed)

    def kill(*given: Any) -> None:
        real(*given)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(kind, killed, kill)
        with pytest.raises(KilledError):
            take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
    key = recording_keys().read(row.pk)
    send(row, WAV)
    take_in_deeds.complete(row.pk, by=ann)
    assert whole(seal_outside(row.pk)) == WAV
    assert recording_keys().read(row.pk) == key


def test_two_first_pieces_at_once_have_one_key(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    kind: Any = type(recording_keys())
    real = kind.put_once

    def after_another(keys: Any, recording: str, key_age: bytes) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(kind, "put_once", real)
            take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
        real(keys, recording, key_age)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "put_once", after_another)
        with pytest.raises(PieceError):
            take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
    send(row, WAV)
    take_in_deeds.complete(row.pk, by=ann)
    assert whole(seal_outside(row.pk)) == WAV


def test_a_piece_that_arrives_while_the_file_is_given_up_leaves_no_key(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    kind: Any = type(recording_keys())
    real = kind.put_once

    def meanwhile(*given: Any) -> None:
        take_in_deeds.give_up(row.pk, by=ann)
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "put_once", meanwhile)
        with pytest.raises(DeedError, match="given up"):
            take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
    seal_all(StopSignal())
    assert not recording_keys().exists(row.pk)
    assert row.pk not in store().incoming()


def test_a_full_disk_leaves_what_was_there(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])

    def full(*_: Any) -> str:
        raise StorageError("the store failed: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "add_incoming", full)
        with pytest.raises(StorageError):
            take_in_deeds.add_piece(row.pk, PIECE, len(WAV), WAV[PIECE : 2 * PIECE])
    row.refresh_from_db()
    assert row.received == PIECE
    send(row, WAV)
    row = take_in_deeds.complete(row.pk, by=ann)
    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "draft", full)
        seal_all(StopSignal())
    row.refresh_from_db()
    assert row.state == State.ARRIVED
    assert "No space" in row.problem
    seal_all(StopSignal())
    row.refresh_from_db()
    assert (row.state, row.problem) == (State.SEALED, "")


def test_a_piece_that_the_disk_spoiled_is_not_sealed(archive: Archive, ann: User) -> None:
    row = bring(ann, WAV)
    (path,) = (archive.home / "store" / "incoming" / row.pk).glob("piece-1-*")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    seal_all(StopSignal())
    row.refresh_from_db()
    assert row.state == State.ARRIVED
    assert "damaged" in row.problem


def test_the_archives_own_comparison_finds_nothing_strange(archive: Archive, ann: User) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    take_in_deeds.add_piece(row.pk, 0, len(WAV), WAV[:PIECE])
    brought(ann, sound("FLAC"))
    assert list(audit()) == []
    assert not [one for one in contradictions() if "no box" in one]
    change_as_owner("UPDATE outside_recordings_outsiderecording SET sha256 = 'x' WHERE state = 'sealed'")
    assert [one for one in contradictions() if "no box" in one]


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM outside_recordings_outsiderecording", "UPDATE outside_recordings_outsiderecording SET sha256 = 'x'",
     "UPDATE outside_recordings_outsiderecording SET made_by = 'somebody else'",
     "UPDATE outside_recordings_outsiderecording SET state = 'arriving'",
     "UPDATE outside_recordings_outsiderecording SET destroyed_at = CURRENT_TIMESTAMP"],
)  # fmt: skip
def test_a_shell_changes_nothing_that_was_sealed_or_said(ann: User, statement: str) -> None:
    brought(ann, sound("FLAC"))
    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
