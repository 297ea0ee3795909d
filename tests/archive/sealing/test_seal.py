"""Sealing: what the package and the receipt say, and that a crash at any step costs nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.durable_files import sync_folder
from appliance.contract.errors import DigestError, OrderError, StorageError
from appliance.contract.receipt import Arrival, Receipt
from appliance.contract.signed import digest, split_lines
from appliance.contract.stop_signal import StopSignal
from appliance.contract.verification.verify import verify
from archive.custody.actors import Subject
from archive.custody.check import check
from archive.custody.models import Entry
from archive.keystore.current import keystore
from archive.recordings.audio_index import build_index
from archive.recordings.models import Recording, StoredArrival
from archive.recordings.stored_ledger import arrival_lines, ledger_lines
from archive.sealing import rebuild as rows
from archive.sealing import seal as steps
from archive.sealing.material import gather
from archive.sealing.seal import ready, seal
from archive.sealing.sealer import Sealer
from archive.sealing.sweeping import sweep
from archive.store import local
from archive.store.current import store
from archive.store.local import LocalDraft, LocalStore
from tests.support.archives import Archive
from tests.support.box_requests import add_segment_that_does_not_open, batches, send, send_lines, send_start
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A recording of three seconds that has arrived and is closed."""
    recording = make_recording(tmp_path / "spool", archive.keys, seconds=3)
    send(client, recording)
    return recording


def members(path: Path, recording: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name.removeprefix(f"{recording}/"): package.read(name) for name in package.namelist()}


def package_path(archive: Archive, recording: str) -> Path:
    return archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip"


def test_the_package_holds_what_the_box_signed_and_never_the_key(archive: Archive, made: Made) -> None:
    row = seal(made.id)
    files = members(package_path(archive, made.id), made.id)
    assert files["data/header.tsv"] == made.header_line
    assert files["data/ledger.tsv"] == made.ledger
    assert [files[f"data/segments/{n:08d}.age"] for n in range(3)] == made.segments
    assert files["receipt.tsv"] == bytes(row.receipt or b"")
    assert not any("key" in name for name in files)
    assert row.package_sha256 == hashlib.sha256(package_path(archive, made.id).read_bytes()).hexdigest()


def test_the_receipt_names_exactly_what_the_box_has(archive: Archive, made: Made, client: Any) -> None:
    seal(made.id)
    answer = client.get(f"/api/1/recordings/{made.id}/receipt")
    receipt = Receipt.read(answer.content, archive.keys.archive_signing.public)
    assert (receipt.recording, receipt.box) == (made.id, archive.keys.box)
    assert receipt.archive_key == archive.keys.archive_signing.public
    assert receipt.header_sha256 == digest(made.header_line)
    assert (receipt.ledger_lines, receipt.ledger_sha256) == (len(made.lines), digest(made.ledger))
    assert (receipt.segments, receipt.frames, receipt.tail) == (3, made.frames, 0)
    assert (receipt.outcome, receipt.key_sha256) == ("complete", digest(made.key))
    files = members(package_path(archive, made.id), made.id)
    assert receipt.manifest_sha256 == digest(files["manifest-sha256.txt"])
    assert client.get(f"/api/1/recordings/{made.id}").json()["state"] == "sealed"


def test_the_arrival_log_ends_with_the_seal_and_only_once(archive: Archive, made: Made) -> None:
    row = seal(made.id)
    files = members(package_path(archive, made.id), made.id)
    lines = split_lines(files["data/arrivals.tsv"])
    arrivals = [Arrival.read(line, archive.keys.archive_signing.public) for line in lines]
    assert [arrival.what for arrival in arrivals] == ["header", "key", "lines", "seal"]
    assert arrivals[-1].sha256 == digest(made.ledger)
    assert arrival_lines(row) == lines


def test_events_tell_what_was_done(archive: Archive, made: Made) -> None:
    seal(made.id)
    events = json.loads(members(package_path(archive, made.id), made.id)["data/events.json"])
    assert [event["event"] for event in events] == [
        "ingestion start",
        "ingestion end",
        "fixity check",
        "validation",
        "sealing",
    ]
    assert {event["outcome"] for event in events} == {"success"}


def test_a_bad_segment_is_sealed_as_evidence_and_named(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=1, reason=None)
    add_segment_that_does_not_open(recording)
    send_start(client, recording)
    assert send_lines(client, recording, batches(recording)[0][1]).status_code == 200
    row = seal(recording.id, incomplete=True)
    assert (row.damaged_segments, row.tail_segments) == (1, 0)
    events = json.loads(members(package_path(archive, recording.id), recording.id)["data/events.json"])
    assert events[3]["outcome"] == "failure"
    assert "segment 1: cannot-decrypt" in events[3]["detail"]


def test_sealing_clears_what_was_on_its_way(archive: Archive, made: Made) -> None:
    row = seal(made.id)
    assert not (archive.home / "store" / "incoming" / made.id).exists()
    assert not StoredArrival.objects.exists()
    assert not list((archive.home / "store" / "work").iterdir())
    assert b"".join(ledger_lines(row)) == made.ledger
    assert package_path(archive, made.id).stat().st_mode & 0o777 == 0o444


def test_sealing_is_in_the_custody_log(archive: Archive, made: Made) -> None:
    seal(made.id)
    assert list(Entry.objects.about(Subject.recording(made.id)).values_list("code", flat=True)) == [
        "ingest",
        "close",
        "seal",
    ]
    assert check() is None


def test_what_arrived_can_be_sent_again_after_the_seal(archive: Archive, made: Made, client: Any) -> None:
    seal(made.id)
    for _, body in batches(made):
        assert send_lines(client, made, body).json()["state"] == "sealed"
    assert client.put(f"/api/1/recordings/{made.id}/key", made.key, "text/plain").status_code == 200


def test_an_interrupted_recording_is_sealed_when_its_tail_is_there(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=2, reason="interrupted", tail=2)
    send_start(client, recording)
    send_lines(client, recording, batches(recording)[0][1])
    assert not ready().exists()
    with pytest.raises(OrderError, match="2 segments"):
        seal(recording.id)
    for number, data in recording.tail.items():
        client.put(f"/api/1/recordings/{recording.id}/tail/{number}", data, "text/plain")
    assert [row.id for row in ready()] == [recording.id]
    row = seal(recording.id)
    files = members(package_path(archive, recording.id), recording.id)
    assert [files[f"data/tail/{n:08d}.age"] for n in (2, 3)] == list(recording.tail.values())
    receipt = Receipt.read(bytes(row.receipt or b""), archive.keys.archive_signing.public)
    assert (receipt.outcome, receipt.tail, receipt.segments) == ("interrupted", 2, 2)
    assert (row.damaged_segments, row.tail_segments) == (0, 2)
    for number, data in recording.tail.items():
        answer = client.put(f"/api/1/recordings/{recording.id}/tail/{number}", data, "text/plain")
        assert answer.status_code == 200, "the same bytes again succeed after the seal"
        answer = client.put(
            f"/api/1/recordings/{recording.id}/tail/{number}", data[:-1] + bytes([data[-1] ^ 1]), "text/plain"
        )
        assert answer.json()["error"]["code"] == "bad-digest"


def test_a_closed_recording_whose_box_died_before_its_tail_is_sealed_on_demand(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    """Hours of acknowledged audio would wait for ever for what the lost card alone has."""
    recording = make_recording(tmp_path, archive.keys, seconds=2, reason="interrupted", tail=2)
    send_start(client, recording)
    send_lines(client, recording, batches(recording)[0][1])
    client.put(f"/api/1/recordings/{recording.id}/tail/2", recording.tail[2], "text/plain")
    assert "--incomplete" in archive.run("seal", recording.id, status=2).stderr
    archive.run("seal", recording.id, "--incomplete")
    row = Recording.objects.get()
    assert (row.state, row.outcome, row.tail_segments) == ("sealed", "interrupted", 1)
    package = package_path(archive, recording.id)
    files = members(package, recording.id)
    assert [name for name in files if "/tail/" in name] == ["data/tail/00000002.age"]
    ended = json.loads(files["data/events.json"])[1]
    assert "1 segments of its unverified tail never came" in ended["detail"]
    with package.open("rb") as file:
        report = verify(file, archive.keys.ring(), recording.identity)
    assert (report.verdict, report.problem) == ("interrupted", "")
    assert any("never reached the archive" in note for note in report.notes)


def test_a_lost_boxs_recording_is_sealed_only_on_demand(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=2, reason=None)
    send(client, recording)
    assert Sealer().once() == 0
    with pytest.raises(OrderError, match="--incomplete"):
        seal(recording.id)
    assert seal(recording.id, incomplete=True).outcome == "incomplete"
    more = recording.segment()
    answer = send_lines(client, recording, more + recording.segments[-1])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "bad-order")


def test_a_segment_that_the_disk_spoilt_stops_the_seal_and_loses_nothing(archive: Archive, made: Made) -> None:
    (path,) = (archive.home / "store" / "incoming" / made.id).iterdir()
    good = path.read_bytes()
    spoilt = bytearray(good)
    spoilt[len(made.segments[0]) + 5000] ^= 1
    path.write_bytes(spoilt)
    with pytest.raises(DigestError, match=r"segment 1 in .* is damaged"):
        seal(made.id)
    assert Sealer().once() == 0
    row = Recording.objects.get()
    assert row.state == "closed"
    assert "segment 1 in" in row.problem
    assert Entry.objects.filter(code="problem").count() == 1
    path.write_bytes(good)
    assert Sealer().once() == 1
    assert Recording.objects.get().problem == ""


def test_what_could_not_be_judged_on_arrival_is_judged_by_the_seal(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    StoredArrival.objects.filter(first_line=0).update(verdicts={str(number): "" for number in range(3)})
    seen: list[list[dict[str, str]]] = []
    original = build_index

    def watched(*arguments: Any) -> Any:
        seen.append(list(StoredArrival.objects.filter(first_line=0).values_list("verdicts", flat=True)))
        return original(*arguments)

    monkeypatch.setattr(rows, "build_index", watched)
    assert seal(made.id).damaged_segments == 0
    assert seen == [[{}]]
    events = json.loads(members(package_path(archive, made.id), made.id)["data/events.json"])
    assert "all hold what the ledger says" in events[3]["detail"]


class CrashError(Exception):
    """The power went."""


def crash(*_: object, **__: object) -> None:
    raise CrashError


def crash_at_a_package(folder: Path) -> None:
    if any(folder.glob("*.zip")):
        raise CrashError
    sync_folder(folder)


CRASHES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "before anything was written": lambda patch: patch.setattr(steps, "gather", crash),
    "while the package was written": lambda patch: patch.setattr(steps, "write_package", crash),
    "before the package got its name": lambda patch: patch.setattr(LocalDraft, "publish", crash),
    "before its name was durable": lambda patch: patch.setattr(local, "sync_folder", crash_at_a_package),
    "before the receipt was committed": lambda patch: patch.setattr(steps, "take_over", crash),
    "within the last transaction": lambda patch: patch.setattr(rows, "record", crash),
    "before what had arrived was removed": lambda patch: patch.setattr(LocalStore, "drop_incoming", crash),
}


@pytest.mark.parametrize("when", CRASHES)
def test_a_crash_at_any_step_is_completed_by_the_next_run(
    archive: Archive, made: Made, client: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    with monkeypatch.context() as patched:
        CRASHES[when](patched)
        with pytest.raises(CrashError):
            seal(made.id)
    row = seal(made.id)
    assert row.state == "sealed"
    assert not (archive.home / "store" / "incoming" / made.id).exists()
    assert client.get(f"/api/1/recordings/{made.id}/receipt").content == bytes(row.receipt or b"")
    assert Entry.objects.filter(code="seal").count() == 1
    what = [Arrival.read(line, None).what for line in arrival_lines(row)]
    assert what.count("seal") == 1


def test_there_is_no_receipt_before_the_packages_name_is_durable(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that says no once the package has its name: the next run asks it again, and takes nothing for granted."""

    def refuse(folder: Path) -> None:
        if any(folder.glob("*.zip")):
            raise OSError(5, "Input/output error")
        sync_folder(folder)

    with monkeypatch.context() as patched:
        patched.setattr(local, "sync_folder", refuse)
        for _ in range(2):
            with pytest.raises(StorageError, match="Input/output error"):
                seal(made.id)
            row = Recording.objects.get()
            assert (row.state, row.receipt, store().incoming()) == ("closed", None, [made.id])
    synced: list[Path] = []
    monkeypatch.setattr(local, "sync_folder", synced.append)
    assert seal(made.id).state == "sealed"
    path = package_path(archive, made.id)
    assert {path.parent, path.parent.parent, path.parent.parent.parent} <= set(synced)


def test_sealing_again_makes_the_same_bytes(archive: Archive, made: Made) -> None:
    path, copy = package_path(archive, made.id), archive.home / "copy.zip"

    def keep_copy(*_: object) -> None:
        shutil.copy(path, copy)
        path.unlink()
        raise CrashError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(steps, "take_over", keep_copy)
        with pytest.raises(CrashError):
            seal(made.id)
    seal(made.id)
    assert path.read_bytes() == copy.read_bytes()


def test_a_full_disk_is_told_and_tried_again(archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert Sealer().once() == 0
    assert "No space left" in Recording.objects.get().problem
    assert not package_path(archive, made.id).exists()
    assert Sealer().once() == 1


def test_a_recording_that_another_worker_sealed_meanwhile_is_no_problem(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(row: Recording) -> Any:
        monkeypatch.setattr(steps, "gather", gather)
        seal(made.id)
        return gather(row)

    monkeypatch.setattr(steps, "gather", overtaken)
    assert Sealer().once() == 0
    row = Recording.objects.get()
    assert (row.state, row.problem) == ("sealed", "")
    assert not Entry.objects.filter(code="problem").exists()
    assert Entry.objects.filter(code="seal").count() == 1


def test_what_a_killed_seal_did_not_clear_is_swept(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, "drop_incoming", crash)
        with pytest.raises(CrashError):
            seal(made.id)
    assert store().incoming() == [made.id]
    sweep(StopSignal())
    assert store().incoming() == []


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"cut")])
def test_what_had_arrived_is_kept_where_the_package_is_gone_or_cut(
    archive: Archive, made: Made, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], Any]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, "drop_incoming", crash)
        with pytest.raises(CrashError):
            seal(made.id)
    path = package_path(archive, made.id)
    path.chmod(0o600)
    spoil(path)
    sweep(StopSignal())
    assert store().incoming() == [made.id]


def test_what_is_still_arriving_is_never_swept(archive: Archive, made: Made) -> None:
    sweep(StopSignal())
    assert store().incoming() == [made.id]


def test_what_nothing_names_of_a_recording_that_still_arrives_is_swept(archive: Archive, made: Made) -> None:
    named = sorted(store().names("incoming"))
    stray = store().add_incoming(made.id, "lines-00000000", [b"of a request that was killed"])
    for name in (*named, stray):
        os.utime(archive.home / "store" / name, (1, 1))
    sweep(StopSignal())
    assert sorted(store().names("incoming")) == named


def test_a_sealer_whose_key_changed_still_names_the_key_that_signs(archive: Archive, made: Made) -> None:
    assert Receipt.read(bytes(seal(made.id).receipt or b""), None).archive_key == keystore().public


def test_a_database_that_lost_a_batch_is_not_sealed(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=3)
    send_start(client, made)
    for _, body in batches(made, 1):
        assert send_lines(client, made, body).status_code == 200
    StoredArrival.objects.filter(first_line__gt=0).last().delete()  # type: ignore[union-attr]  # there are some
    with pytest.raises(StorageError, match="does not have all ledger lines"):
        seal(made.id)
    assert not store().exists(f"packages/{made.id[:2]}/{made.id}.zip")
