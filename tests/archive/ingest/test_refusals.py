"""What the archive refuses, with which stable code, and that a refusal changes nothing."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance.contract.errors import StorageError
from appliance.contract.keys import SigningKey
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.models import Entry
from archive.devices.enrollment import retire
from archive.keystore.current import keystore
from archive.recordings.models import Recording, StoredArrival
from tests.support.archives import Archive
from tests.support.box_requests import BoxAuth, batches, send, send_lines, send_start
from tests.support.spools import Keys, make_recording
from tests.support.spools import Recording as Made

from .asked import contents, contents_of, refused


def test_a_box_that_is_not_enrolled(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, Keys(), seconds=1)
    answer = client.put(f"/api/1/recordings/{made.id}/header", made.header_line, "text/plain")
    assert "plainsight-archive enroll" in refused(answer, 403, "not-enrolled")
    assert not Recording.objects.exists()
    assert not Entry.objects.exclude(code__in=["enroll", "place"]).exists(), "a stranger cannot fill the custody log"


def test_a_key_that_was_not_enrolled(archive: Archive, client: Any, tmp_path: Path) -> None:
    other = Keys(box=archive.keys.box)
    made = make_recording(tmp_path, other, seconds=1)
    answer = client.put(f"/api/1/recordings/{made.id}/header", made.header_line, "text/plain")
    refused(answer, 403, "bad-signature")


def test_a_header_with_a_forged_signature(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1)
    forged = made.header.sign(SigningKey.generate())
    refused(client.put(f"/api/1/recordings/{made.id}/header", forged, "text/plain"), 403, "bad-signature")


def test_a_header_of_another_recording(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1)
    refused(client.put(f"/api/1/recordings/{'a' * 32}/header", made.header_line, "text/plain"), 400, "bad-format")


def test_another_header_in_the_same_place(archive: Archive, client: Any, made: Made) -> None:
    other = made.header.model_copy(update={"software": "other"}).sign(archive.keys.box_signing)
    refused(client.put(f"/api/1/recordings/{made.id}/header", other, "text/plain"), 409, "conflict")
    assert bytes(Recording.objects.get().header) == made.header_line


def test_a_key_with_another_digest(archive: Archive, client: Any, made: Made) -> None:
    refused(client.put(f"/api/1/recordings/{made.id}/key", made.key + b"x", "text/plain"), 400, "bad-digest")


def test_a_destroyed_key_does_not_come_back(archive: Archive, client: Any, made: Made) -> None:
    path = archive.home / "recording-keys" / f"{made.id}.age"
    path.unlink()
    assert client.put(f"/api/1/recordings/{made.id}/key", made.key, "text/plain").status_code == 200
    assert not path.exists()


def test_lines_before_the_key(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=1)
    client.put(f"/api/1/recordings/{recording.id}/header", recording.header_line, "text/plain")
    refused(send_lines(client, recording, batches(recording)[0][1]), 409, "bad-order")


def test_a_segment_with_one_flipped_bit(archive: Archive, client: Any, made: Made) -> None:
    body = bytearray(batches(made)[0][1])
    body[body.index(made.segments[1]) + 5000] ^= 1
    before = contents()
    assert "segment 1" in refused(send_lines(client, made, bytes(body)), 400, "bad-digest")
    assert contents() == before, "not even the good segment before it was taken"


def test_a_ledger_line_with_one_flipped_bit(archive: Archive, client: Any, made: Made) -> None:
    body = bytearray(batches(made)[0][1])
    body[60] ^= 1
    refused(send_lines(client, made, bytes(body)), 403, "bad-signature")


def test_a_hole_in_the_ledger(archive: Archive, client: Any, made: Made) -> None:
    before = contents()
    refused(send_lines(client, made, b"".join(body for _, body in batches(made, 1)[1:])), 409, "bad-order")
    assert contents() == before


def test_a_line_of_another_recording(archive: Archive, client: Any, made: Made, tmp_path: Path) -> None:
    other = make_recording(tmp_path / "other", archive.keys, seconds=1)
    answer = send_lines(client, made, batches(other)[0][1])
    assert answer.json()["error"]["code"] in {"bad-order", "bad-format"}
    assert contents()[0] == 0


def test_another_line_in_the_same_place(archive: Archive, client: Any, made: Made) -> None:
    for _, body in batches(made):
        assert send_lines(client, made, body).status_code == 200
    made.lines.clear()
    made.note("lamp", lit=False, commanded_ns=1, seen_ns=None)
    before = contents()
    refused(send_lines(client, made, made.ledger), 409, "conflict")
    assert contents() == before


def test_nothing_follows_the_closing_record(archive: Archive, client: Any, made: Made) -> None:
    for _, body in batches(made):
        assert send_lines(client, made, body).status_code == 200
    refused(send_lines(client, made, made.note("lamp", lit=True, commanded_ns=1, seen_ns=None)), 409, "bad-order")


def test_a_batch_that_is_cut_off(archive: Archive, client: Any, made: Made) -> None:
    _, body = batches(made)[0]
    refused(send_lines(client, made, body[: body.index(made.segments[0]) + 100]), 400, "bad-digest")
    refused(send_lines(client, made, made.lines[0][:50]), 400, "bad-format")
    assert contents()[0] == 0


def test_more_than_ten_segments_at_once(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=11, segment_frames=1000)
    send_start(client, recording)
    refused(send_lines(client, recording, batches(recording, 11)[0][1]), 413, "too-large")


@pytest.mark.parametrize("kind", ["header", "key", "lines"])
def test_a_body_beyond_its_kind_is_refused_by_its_length_alone(
    archive: Archive, client: Any, made: Made, kind: str
) -> None:
    call = client.post if kind == "lines" else client.put
    answer = call(
        f"/api/1/recordings/{made.id}/{kind}", b"short", "text/plain", headers={"Content-Length": str(1 << 30)}
    )
    refused(answer, 413, "too-large")


def test_a_tail_that_nobody_listed_or_with_other_bytes(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path, archive.keys, seconds=1, reason="interrupted", tail=1)
    send_start(client, recording)
    base = f"/api/1/recordings/{recording.id}/tail"
    refused(client.put(f"{base}/1", recording.tail[1], "text/plain"), 409, "bad-order")
    assert send_lines(client, recording, batches(recording)[0][1]).status_code == 200
    refused(client.put(f"{base}/1", b"x" * len(recording.tail[1]), "text/plain"), 400, "bad-digest")
    refused(client.put(f"{base}/2", recording.tail[1], "text/plain"), 409, "bad-order")


@pytest.mark.parametrize("name", ["0" * 32, "x" * 32, "short"])
def test_a_recording_that_nobody_knows(archive: Archive, client: Any, name: str) -> None:
    refused(client.get(f"/api/1/recordings/{name}"), 404, "unknown-recording")


def test_no_receipt_before_the_seal(archive: Archive, client: Any, made: Made) -> None:
    refused(client.get(f"/api/1/recordings/{made.id}/receipt"), 404, "not-sealed")


def test_a_wrong_method(archive: Archive, client: Any, made: Made) -> None:
    refused(client.delete(f"/api/1/recordings/{made.id}"), 405, "bad-method")


def test_a_retired_box_is_told_that_it_is_refused(archive: Archive, client: Any, made: Made) -> None:
    _, body = batches(made)[0]
    retire(archive.keys.box, by=ARCHIVE)
    refused(send_lines(client, made, body), 403, "not-enrolled")
    assert client.get(f"/api/1/recordings/{made.id}").json()["state"] == "refused"


def test_one_refusal_makes_one_custody_entry_however_often_it_is_tried(
    archive: Archive, client: Any, made: Made
) -> None:
    for _ in range(3):
        send_lines(client, made, made.lines[1])
    assert Entry.objects.about(Subject.recording(made.id)).filter(code="refusal").count() == 1


def test_an_archive_whose_keys_are_gone_says_try_again(archive: Archive, client: Any, tmp_path: Path) -> None:
    keystore.cache_clear()
    (archive.home / "keys" / "signing.pem").unlink()
    made = make_recording(tmp_path, archive.keys, seconds=1)
    refused(client.put(f"/api/1/recordings/{made.id}/header", made.header_line, "text/plain"), 503, "storage")
    assert not Recording.objects.exists()


def test_a_full_disk_takes_nothing_and_the_next_attempt_succeeds(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = contents()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        refused(send_lines(client, made, batches(made)[0][1]), 503, "storage")
    assert contents() == before
    assert not list((archive.home / "store").rglob("lines-*")), "the file is gone"
    assert send_lines(client, made, batches(made)[0][1]).status_code == 200


def test_a_rollback_leaves_a_checker_that_still_fits(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StorageError("the disk said no")

    first, *others = batches(made, 1)
    assert send_lines(client, made, first[1]).status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr(StoredArrival, "save", broken)
        refused(send_lines(client, made, others[0][1]), 503, "storage")
    for _, body in others:
        assert send_lines(client, made, body).status_code == 200
    assert client.get(f"/api/1/recordings/{made.id}").json()["state"] == "closed"


def test_no_name_of_a_room_is_in_what_boxes_are_told(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "a", archive.keys, seconds=1)
    send(client, recording)
    assert b"Room" not in client.get(f"/api/1/recordings/{recording.id}").content


@pytest.mark.parametrize("year", ["0001", "1969", "2200", "9999"])
def test_a_header_dated_where_no_clock_can_be(archive: Archive, client: Any, tmp_path: Path, year: str) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1)
    payload = made.header.payload().replace(made.header.created_at[:4].encode(), year.encode(), 1)
    line = payload + b"\t" + base64.b64encode(archive.keys.box_signing.sign(payload)) + b"\n"
    refused(client.put(f"/api/1/recordings/{made.id}/header", line, "text/plain"), 400, "bad-format")
    assert not Recording.objects.exists()


@pytest.mark.parametrize(("first", "frames"), [(1 << 62, 1 << 62), (0, (1 << 63) - 1), ((1 << 63) - 1, 1)])
def test_a_gap_that_no_database_can_count(archive: Archive, client: Any, made: Made, first: int, frames: int) -> None:
    before = contents()
    made.lines.clear()
    line = made.note("gap", first_frame=0, frames=1, cause="stall")
    payload = line.split(b"\t")[0].replace(
        b'"first_frame":0,"frames":1', f'"first_frame":{first},"frames":{frames}'.encode()
    )
    signed = payload + b"\t" + base64.b64encode(archive.keys.box_signing.sign(payload)) + b"\n"
    refused(send_lines(client, made, signed), 400, "bad-format")
    assert contents() == before


def test_a_recording_that_claims_to_go_on_from_another_boxs(
    archive: Archive, client: Any, made: Made, tmp_path: Path
) -> None:
    other = Keys(box="box-another-one")
    archive.enroll(other)
    client.signer = other
    claims = make_recording(tmp_path / "other", other, seconds=1)
    line = claims.header.model_copy(update={"continues": made.id}).sign(other.box_signing)
    answer = client.put(f"/api/1/recordings/{claims.id}/header", line, "text/plain")
    assert answer.json()["error"]["field"] == "continues"
    assert refused(answer, 400, "bad-format")


def test_a_stranger_forges_no_line_of_the_log(archive: Archive, client: Any, tmp_path: Path) -> None:
    with archive.serving(workers=1, log=tmp_path / "log") as url:
        line = b'{"type":"plainsight/header/1","odd\\nERROR archive: all recordings are lost\\u001b[2J":1}\t'
        line += base64.b64encode(bytes(64)) + b"\n"
        answer = requests.put(
            f"{url}/api/1/recordings/{'0' * 32}/header", data=line, timeout=60, auth=BoxAuth(archive.keys)
        )
        assert answer.status_code == 400
    lines = (tmp_path / "log").read_text().splitlines()
    assert any("all recordings are lost" in one for one in lines), lines
    assert not any(one.startswith("ERROR archive") for one in lines)
    assert "\x1b" not in "".join(lines)


def test_no_line_is_taken_for_a_recording_that_is_no_longer_receiving(
    archive: Archive, client: Any, made: Made
) -> None:
    first, *others = batches(made, 1)
    assert send_lines(client, made, first[1]).status_code == 200
    # as 'seal --incomplete' leaves it: closed without a closing record, so only the row's state tells
    Recording.objects.update(state="closed")
    before = contents()
    refused(send_lines(client, made, others[0][1]), 409, "bad-order")
    assert contents() == before


def test_a_batch_that_begins_with_known_lines_cannot_change_one_of_them(
    archive: Archive, client: Any, made: Made
) -> None:
    (_, first), (_, second), *_ = batches(made, 1)
    assert send_lines(client, made, first).status_code == 200
    known = len(contents_of(made))
    forged = made.lines[0].replace(b'"t_ns":', b'"t_ns":1', 1)
    payload = forged.split(b"\t")[0]
    signed = payload + b"\t" + base64.b64encode(archive.keys.box_signing.sign(payload)) + b"\n"
    refused(send_lines(client, made, signed + second), 409, "conflict")
    assert len(contents_of(made)) == known
