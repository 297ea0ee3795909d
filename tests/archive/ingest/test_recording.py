"""A recording on its way in: what is accepted, and what the archive then says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.encryption import Identity
from appliance.contract.errors import KeyFileError
from appliance.contract.receipt import Arrival
from appliance.contract.signed import digest, split_lines
from archive.custody.actors import Subject
from archive.custody.check import check
from archive.custody.models import Entry
from archive.recordings import validation
from archive.recordings.arrival_log import log_bytes
from archive.recordings.models import Recording, StoredArrival, TailSegment
from archive.recordings.stored_ledger import ledger_lines
from archive.sealing.seal import seal
from tests.support.archives import Archive
from tests.support.box_requests import add_segment_that_does_not_open, batches, send, send_lines, send_start
from tests.support.spools import make_recording


def test_a_whole_recording_arrives_and_is_closed(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=12)
    send(client, made)
    state = client.get(f"/api/1/recordings/{made.id}").json()
    assert state == {
        "recording": made.id,
        "state": "closed",
        "next_line": len(made.lines),
        "frames": made.frames,
        "tail_missing": [],
    }
    row = Recording.objects.get()
    assert (row.outcome, row.end_reason, row.key_verdict) == ("complete", "button", "ok")
    assert b"".join(ledger_lines(row)) == made.ledger
    assert not StoredArrival.objects.exclude(verdicts={}).exists(), "each segment is found ok"
    kept = sorted((archive.home / "store" / "incoming" / made.id).iterdir())
    assert [path.read_bytes() for path in kept] == [b"".join(made.segments[:10]), b"".join(made.segments[10:])]


def test_the_same_bytes_again_succeed_and_change_nothing(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=3)
    send(client, made)
    before = log_bytes(Recording.objects.get())
    base = f"/api/1/recordings/{made.id}"
    assert client.put(f"{base}/header", made.header_line, "text/plain").status_code == 200
    assert client.put(f"{base}/key", made.key, "text/plain").status_code == 200
    for _, body in batches(made):
        assert send_lines(client, made, body).json()["next_line"] == len(made.lines)
    assert log_bytes(Recording.objects.get()) == before
    assert not Entry.objects.filter(code="refusal").exists()


def test_a_batch_may_begin_with_lines_that_have_arrived(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=5)
    send_start(client, made)
    (_, first), *_ = batches(made, 2)
    assert send_lines(client, made, first).status_code == 200
    (_, whole), *_ = batches(made, 10)
    assert send_lines(client, made, whole).json()["state"] == "closed"
    assert b"".join(ledger_lines(Recording.objects.get())) == made.ledger


def test_every_arrival_is_signed_and_chained(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=12, reason="interrupted", tail=2)
    send(client, made)
    lines = split_lines(log_bytes(Recording.objects.get()))
    arrivals = [Arrival.read(line, archive.keys.archive_signing.public) for line in lines]
    assert [arrival.what for arrival in arrivals] == ["header", "key", "lines", "lines", "tail", "tail"]
    assert [arrival.n for arrival in arrivals] == list(range(6))
    assert [arrival.prev for arrival in arrivals] == [digest(line) for line in (made.header_line, *lines[:-1])]
    _, (start, _) = batches(made)
    assert (arrivals[3].first_line, arrivals[3].lines) == (start, len(made.lines) - start)
    assert arrivals[2].sha256 == digest(b"".join(made.lines[:start]))
    assert arrivals[4].sha256 == digest(made.tail[12])


def test_the_unverified_tail_is_asked_for_opened_and_judged(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=2, reason="interrupted", tail=2)
    send_start(client, made)
    ((_, body),) = batches(made)
    assert send_lines(client, made, body).json()["tail_missing"] == [2, 3]
    base = f"/api/1/recordings/{made.id}/tail"
    assert client.put(f"{base}/2", made.tail[2], "text/plain").status_code == 201
    assert client.put(f"{base}/2", made.tail[2], "text/plain").status_code == 200
    assert client.get(f"/api/1/recordings/{made.id}").json()["tail_missing"] == [3]
    row = TailSegment.objects.get(number=2)
    assert (row.verdict, row.frames) == ("ok", 48000)
    assert Recording.objects.get().outcome == "interrupted"


def test_a_segment_that_does_not_open_is_kept_as_evidence(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1, reason=None)
    add_segment_that_does_not_open(made)
    send_start(client, made)
    ((_, body),) = batches(made)
    assert send_lines(client, made, body).status_code == 200
    assert StoredArrival.objects.get(first_line=0).verdicts == {"1": "cannot-decrypt"}
    assert Entry.objects.about(Subject.recording(made.id)).filter(code="problem").count() == 1
    assert check() is None


def test_sign_in_and_cookies_mean_nothing_to_boxes(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1)
    client.cookies["session"] = "x" * 32
    send(client, made)
    answer = client.get(f"/api/1/recordings/{made.id}")
    assert not answer.cookies
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_tail_segment_that_comes_again_after_the_seal_is_known_and_changes_nothing(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1, reason="interrupted", tail=1)
    send(client, made)
    assert seal(made.id).state == "sealed"
    before = log_bytes(Recording.objects.get())
    base = f"/api/1/recordings/{made.id}/tail"
    assert client.put(f"{base}/1", made.tail[1], "text/plain").status_code == 200
    other = made.tail[1][:-1] + bytes([made.tail[1][-1] ^ 1])
    assert client.put(f"{base}/1", other, "text/plain").status_code == 400
    assert client.put(f"{base}/2", made.tail[1], "text/plain").status_code == 409
    assert log_bytes(Recording.objects.get()) == before
    assert not TailSegment.objects.exists()


def test_a_recording_that_was_sealed_without_its_end_has_no_tail(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1, reason=None)
    send(client, made)
    assert seal(made.id, incomplete=True).state == "sealed"
    assert client.put(f"/api/1/recordings/{made.id}/tail/1", b"x", "text/plain").status_code == 409


def test_a_key_that_the_archive_cannot_open_is_kept_and_entered_with_what_is_wrong(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    others = replace(archive.keys, archive=Identity.generate())
    made = make_recording(tmp_path, others, seconds=1)
    send_start(client, made)
    verdict = Recording.objects.get().key_verdict
    assert verdict not in ("", "ok")
    entry = Entry.objects.about(Subject.recording(made.id)).get(code="problem")
    assert json.loads(entry.detail)["code"] == verdict


def test_a_key_that_a_failing_keystore_cannot_judge_is_kept_and_entered_as_such(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_recording: str) -> Identity:
        raise KeyFileError("the keystore does not answer")

    monkeypatch.setattr(validation, "secret_of", fail)
    made = make_recording(tmp_path, client.signer, seconds=1)
    send_start(client, made)
    entry = Entry.objects.about(Subject.recording(made.id)).get(code="problem")
    assert json.loads(entry.detail) == {"what": "key", "code": "keystore-failed"}
