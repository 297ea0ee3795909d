"""Copies that leave the archive: exact, entered, and never without the notice."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from appliance.contract.errors import DigestError
from appliance.contract.receipt import Receipt
from archive.recordings.playback import AudioSource
from archive.ui import words
from tests.archive.page_fixtures import RATE, Arrive, entries, who
from tests.archive.pages import check
from tests.support.archives import Archive

from .test_audio import body


def stored(archive: Archive, recording: str) -> bytes:
    return (archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip").read_bytes()


def test_the_page_of_copies_carries_the_notice_and_the_receipt(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = check(custodian.get(f"/recordings/{made.id}/copies/").content.decode())
    assert words.NOTICE in page.text
    assert hashlib.sha256(made.ledger).hexdigest() in page.text
    assert json.loads(entries(made.id, "look")[-1].detail) == {"page": "copies"}
    offered = {link.get("href") for link in page.all("a") if "button" in link.get("class")}
    assert offered == {f"/recordings/{made.id}/{name}" for name in ("package.zip", "audio.flac", "receipt.tsv")}


def test_the_package_is_the_sealed_one_byte_for_byte(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    answer = custodian.get(f"/recordings/{made.id}/package.zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{made.id}.zip"'
    assert body(answer) == stored(archive, made.id)
    (entry,) = entries(made.id, "download-package")
    assert (who(entry), json.loads(entry.detail)) == ("user:m.jones", {"ground": "official"})


def test_a_broken_download_can_go_on_and_each_part_is_an_entry(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=2)
    whole = stored(archive, made.id)
    answer = custodian.get(f"/recordings/{made.id}/package.zip", headers={"range": "bytes=5000-"})
    assert answer.status_code == 206
    assert body(answer) == whole[5000:]
    (entry,) = entries(made.id, "download-package")
    assert json.loads(entry.detail) == {
        "ground": "official",
        "first_byte": 5000,
        "bytes": len(whole) - 5000,
    }


def test_the_flac_holds_every_sample_and_the_notice(custodian: Any, sealed: Arrive, tmp_path: Path) -> None:
    made = sealed(seconds=3)
    answer = custodian.get(f"/recordings/{made.id}/audio.flac")
    data = body(answer)
    assert answer.headers["Content-Type"] == "audio/flac"
    assert "Content-Length" not in answer.headers, "it is made while it is sent"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{made.id}.flac"'
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.samplerate, file.channels, file.frames) == ("FLAC", RATE, 1, made.frames)
        assert (file.title, file.comment) == (made.id, words.in_both(words.notice))
        assert np.array_equal(file.read(dtype="int16"), made.samples)
    (entry,) = entries(made.id, "download-flac")
    assert who(entry) == "user:m.jones"


@pytest.mark.parametrize("checked", [True, False])
def test_promise_6_stock_flac_accepts_the_file(
    archive: Archive, custodian: Any, sealed: Arrive, tmp_path: Path, checked: bool
) -> None:
    """With the MD5 of the audio once that was checked, and without one before."""
    made = sealed(seconds=2)
    if checked:
        archive.run("verify", made.id)
    path = tmp_path / "copy.flac"
    path.write_bytes(body(custodian.get(f"/recordings/{made.id}/audio.flac")))
    strict = ["--warnings-as-errors"] if checked else []
    subprocess.run(["flac", "--silent", *strict, "--test", str(path)], check=True)
    raw = ["--force-raw-format", "--endian=little", "--sign=signed"]
    done = subprocess.run(["flac", "-s", "-d", "-c", *raw, str(path)], check=True, capture_output=True)
    assert done.stdout == made.samples.astype("<i2").tobytes()


def test_the_flac_begins_before_more_than_its_first_second_is_decrypted(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sealed(seconds=20)
    reads: list[int] = []
    original = AudioSource.read

    def watched(self: AudioSource, first: int, frames: int) -> Any:
        reads.append(first)
        return original(self, first, frames)

    monkeypatch.setattr(AudioSource, "read", watched)
    answer = custodian.get(f"/recordings/{made.id}/audio.flac")
    stream = iter(answer.streaming_content)
    assert next(stream)[:4] == b"fLaC"
    assert max(reads) < 2 * RATE
    assert len(b"".join(stream)) > 0


def test_a_flac_of_a_damaged_recording_breaks_off_and_is_seen_to_be_cut(
    archive: Archive, custodian: Any, sealed: Arrive, tmp_path: Path
) -> None:
    made = sealed(seconds=4)
    (package,) = (archive.home / "store" / "packages").rglob("*.zip")
    package.chmod(0o600)
    data = bytearray(package.read_bytes())
    data[data.index(made.segments[2]) + 500] ^= 1
    package.write_bytes(data)
    stream = iter(custodian.get(f"/recordings/{made.id}/audio.flac").streaming_content)
    got: list[bytes] = []
    with pytest.raises(DigestError):
        got.extend(stream)
    path = tmp_path / "cut.flac"
    path.write_bytes(b"".join(got))
    assert subprocess.run(["flac", "--silent", "--test", str(path)], check=False, capture_output=True).returncode != 0


def test_the_receipt_is_the_signed_line(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    answer = custodian.get(f"/recordings/{made.id}/receipt.tsv")
    receipt = Receipt.read(answer.content, archive.keys.archive_signing.public)
    assert (receipt.recording, receipt.frames) == (made.id, made.frames)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{made.id}-receipt.tsv"'
    assert len(entries(made.id, "download-receipt")) == 1


@pytest.mark.parametrize("name", ["package.zip", "audio.flac", "receipt.tsv"])
def test_head_hands_nothing_out_and_enters_nothing(custodian: Any, sealed: Arrive, name: str) -> None:
    made = sealed(seconds=1)
    answer = custodian.head(f"/recordings/{made.id}/{name}")
    assert (answer.status_code, body(answer)) == (200, b"")
    assert not [entry for entry in entries(made.id) if entry.code.startswith("download")]


@pytest.mark.parametrize("name", ["copies/", "package.zip", "audio.flac", "receipt.tsv"])
def test_before_the_seal_there_are_no_copies(custodian: Any, arrive: Arrive, name: str) -> None:
    made = arrive(seconds=1)
    answer = custodian.get(f"/recordings/{made.id}/{name}")
    assert answer.status_code == 404
    assert check(answer.content.decode()).one("h1").text == "Not sealed yet"


def test_a_package_that_is_gone_is_no_download(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    (archive.home / "store" / "packages" / made.id[:2] / f"{made.id}.zip").unlink()
    for name in ("package.zip", "audio.flac"):
        answer = custodian.get(f"/recordings/{made.id}/{name}")
        assert answer.status_code == 503
        check(answer.content.decode())
    assert not [entry for entry in entries(made.id) if entry.code.startswith("download")]
