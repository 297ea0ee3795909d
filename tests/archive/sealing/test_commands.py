"""`plainsight-archive` list, seal, worker, verify and export."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.custody import CustodyHead
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.sealing.seal import seal
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording
from tests.support.waiting import until


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A closed recording of two seconds."""
    recording = make_recording(tmp_path / "spool", archive.keys, seconds=2)
    send(client, recording)
    return recording


def test_list_shows_what_there_is(archive: Archive, made: Made) -> None:
    (one,) = json.loads(archive.run("list", "--json").stdout)
    assert (one["recording"], one["state"], one["seconds"]) == (made.id, "closed", 2.0)
    seal(made.id)
    assert made.id in archive.run("list", "--state", "sealed").stdout
    assert "no recordings" in archive.run("list", "--state", "closed").stdout
    assert "Room" not in archive.run("list", "--json").stdout


def test_seal_by_hand(archive: Archive, made: Made) -> None:
    answer = json.loads(archive.run("seal", made.id, "--json").stdout)
    assert (answer["state"], answer["outcome"]) == ("sealed", "complete")
    assert (archive.home / "store" / answer["package"]).is_file()
    assert Entry.objects.get(code="seal").actor_type == "operator"


def test_seal_names_what_is_missing(archive: Archive, client: Any, tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "open", archive.keys, seconds=1, reason=None)
    send(client, recording)
    assert "--incomplete" in archive.run("seal", recording.id, status=2).stderr
    assert "incomplete" in archive.run("seal", recording.id, "--incomplete").stdout
    assert "no recording" in archive.run("seal", "0" * 32, status=2).stderr


def test_the_worker_seals_within_seconds_and_ends_when_told(archive: Archive, made: Made) -> None:
    command = [sys.executable, "-m", "archive.command", "worker"]
    worker = subprocess.Popen(command, env=archive.environment())
    try:
        until(lambda: Recording.objects.get().state == "sealed", alive=lambda: worker.poll() is None)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


def test_a_worker_without_keys_says_so(archive: Archive) -> None:
    (archive.home / "keys" / "signing.pem").unlink()
    assert "make-keys" in archive.run("worker", status=2).stderr


def test_export_gives_the_sealed_bytes_and_writes_it_down(archive: Archive, made: Made, tmp_path: Path) -> None:
    row = seal(made.id)
    folder = tmp_path / "out"
    folder.mkdir()
    answer = json.loads(archive.run("export", made.id, "--to", str(folder), "--with-key", "--json").stdout)
    assert Path(answer["package"]).read_bytes() == (archive.home / "store" / row.package).read_bytes()
    assert Path(answer["key"]).read_bytes() == made.key
    head = CustodyHead.read(answer["custody_head"].encode(), archive.keys.archive_signing.public)
    assert head.entries == Entry.objects.count(), "the entries of this very export are in it"
    assert list(Entry.objects.filter(code__startswith="export").values_list("code", flat=True)) == [
        "export",
        "export-key",
    ]
    assert "exists" in archive.run("export", made.id, "--to", str(folder), status=2).stderr


def test_export_refuses_what_it_cannot_do(archive: Archive, made: Made, tmp_path: Path) -> None:
    assert "not sealed" in archive.run("export", made.id, "--to", str(tmp_path), status=2).stderr
    seal(made.id)
    assert "no folder" in archive.run("export", made.id, "--to", "/nonexistent", status=2).stderr
    assert not Entry.objects.filter(code="export").exists()


def test_verify_checks_a_sealed_recording_and_writes_it_down(archive: Archive, made: Made) -> None:
    seal(made.id)
    answer = json.loads(archive.run("verify", made.id, "--json").stdout)
    assert (answer["recording"], answer["verdict"]) == (made.id, "intact")
    assert Entry.objects.about(Subject.recording(made.id)).filter(code="verify").count() == 1


def test_verify_names_one_flipped_bit(archive: Archive, made: Made) -> None:
    path = archive.home / "store" / seal(made.id).package
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = archive.run("verify", made.id, status=1)
    assert "TAMPERED" in done.stdout
