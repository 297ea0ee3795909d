"""`plainsight verify` as an auditor runs it: plain words, one exit status a verdict, no traceback."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from appliance.contract import slip
from appliance.contract.receipt import Outcome
from appliance.contract.signed import digest
from tests.support.packages import Sealed
from tests.support.spools import Keys, Recording, make_recording

SHORT: dict[str, Any] = {"rate": 8000, "segment_frames": 1000}


class Case:
    """A package and keys in files."""

    def __init__(self, folder: Path) -> None:
        self.keys = Keys()
        self.folder = folder
        self.recording: Recording = make_recording(folder / "spool", self.keys, **SHORT)
        self.package = folder / "package.zip"
        self.package.write_bytes(Sealed(self.recording).build())
        self.ring = self.keys.save_ring(folder / "keyring.json")
        self.key = folder / "key.age"
        self.key.write_bytes(self.recording.key)
        self.identity = folder / "archive.txt"
        self.keys.archive.save(self.identity)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "appliance.command", "verify", *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in result.stderr
        return result


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_an_intact_package_is_told_in_plain_words(case: Case) -> None:
    result = case.run(case.package, "--keys", case.ring)
    assert result.returncode == 0
    assert "3 segments" in result.stdout
    last = result.stdout.rstrip().splitlines()[-1]
    assert last.startswith("Intact as far as it was checked")
    assert last.endswith("The audio itself was not opened.")
    result = case.run(case.package, "--keys", case.ring, "--key", case.key, "--identity", case.identity)
    assert result.stdout.rstrip().splitlines()[-1].startswith("Intact. Everything was checked")


def test_with_its_key_the_audio_is_checked_as_well(case: Case) -> None:
    result = case.run(case.package, "--keys", case.ring, "--key", case.key, "--identity", case.identity, "--json")
    report = json.loads(result.stdout)
    assert (result.returncode, report["verdict"]) == (0, "intact")
    assert any("all 3 segments open" in check for check in report["checks"])
    assert report["audio_checked"]


def test_without_keys_it_is_not_pinned(case: Case) -> None:
    result = case.run(case.package)
    assert (result.returncode, "Not pinned" in result.stdout) == (3, True)


def test_a_changed_byte_is_named(case: Case) -> None:
    data = bytearray(case.package.read_bytes())
    data[data.index(b'"kind":"closing"') + 8] ^= 1
    case.package.write_bytes(bytes(data))
    result = case.run(case.package, "--keys", case.ring)
    assert (result.returncode, "data/ledger.tsv" in result.stdout) == (1, True)


def test_a_package_that_is_none_gets_status_2(case: Case) -> None:
    case.package.write_text("a letter")
    assert case.run(case.package, "--keys", case.ring).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["missing.zip"], "missing.zip"),
        (["{package}", "--keys", "missing.json"], "missing.json"),
        (["{package}", "--keys", "{package}"], "not a key ring"),
        (["{package}", "--key", "{key}"], "--identity"),
        (["{package}", "--key", "{key}", "--identity", "{ring}"], "identity"),
        (["{package}", "--key", "{ring}", "--identity", "{identity}"], "does not decrypt"),
        (["{package}", "--key", "missing.age", "--identity", "{identity}"], "missing.age"),
    ],
)
def test_wrong_arguments_get_status_2_and_are_named(case: Case, arguments: list[str], named: str) -> None:
    places = {name: str(getattr(case, name)) for name in ("package", "ring", "key", "identity")}
    result = case.run(*(argument.format(**places) for argument in arguments))
    assert result.returncode == 2
    assert named in result.stderr


def test_another_recordings_key_is_a_mistake_and_no_tampering(case: Case) -> None:
    other = make_recording(case.folder / "spool", case.keys, **SHORT)
    case.key.write_bytes(other.key)
    result = case.run(case.package, "--keys", case.ring, "--key", case.key, "--identity", case.identity)
    assert result.returncode == 2
    assert "another recording" in result.stdout
    assert "TAMPERED" not in result.stdout


@pytest.mark.parametrize(
    ("reason", "tail", "outcome", "told"),
    [
        ("button", 0, "complete", (0, "Intact")),
        ("interrupted", 2, "interrupted", (4, "Interrupted")),
        (None, 0, "incomplete", (5, "Incomplete")),
    ],
)
def test_every_honest_end_has_a_status_of_its_own(
    case: Case, reason: str | None, tail: int, outcome: Outcome, told: tuple[int, str]
) -> None:
    made = make_recording(case.folder / "spool", case.keys, reason=reason, tail=tail, **SHORT)
    case.package.write_bytes(Sealed(made, outcome).build())
    case.key.write_bytes(made.key)
    result = case.run(case.package, "--keys", case.ring, "--key", case.key, "--identity", case.identity)
    assert (result.returncode, result.stdout.splitlines()[-1].partition(".")[0]) == told


def test_another_zip_is_no_tampered_package(case: Case) -> None:
    with zipfile.ZipFile(case.package, "w") as file:
        file.writestr("letter.txt", "Dear parents")
    result = case.run(case.package, "--keys", case.ring)
    assert (result.returncode, "TAMPERED" in result.stdout) == (2, False)


def test_what_cannot_be_read_as_a_file_is_named(case: Case) -> None:
    pipe = case.folder / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)  # so that opening it for reading does not wait for a writer
    try:
        for path in (case.folder, pipe):
            result = case.run(path, "--keys", case.ring)
            assert (result.returncode, str(path) in result.stderr) == (2, True)
    finally:
        os.close(held)


def test_the_report_for_scripts_has_a_fixed_form(case: Case) -> None:
    report = json.loads(case.run(case.package, "--keys", case.ring, "--json").stdout)
    assert set(report) == {"verdict", "status", "recording", "audio_checked", "problem", "checks", "notes"}
    assert not report["audio_checked"]
    assert (report["status"], report["recording"], report["problem"]) == (0, case.recording.id, "")


def test_long_work_shows_progress_to_a_person_and_only_there(case: Case) -> None:
    command = [sys.executable, "-m", "appliance.command", "verify", str(case.package), "--keys", str(case.ring)]
    near, far = pty.openpty()
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=far, timeout=60, check=True)
        assert b"segments: 0 of 3" in os.read(near, 4096)
    finally:
        os.close(near)
        os.close(far)
    assert case.run(case.package, "--keys", case.ring).stderr == ""


def test_help_shows_an_example_and_every_exit_status(case: Case) -> None:
    text = case.run("--help").stdout
    assert "example:" in text
    assert all(f"  {status}  " in text for status in range(6))


def test_a_slip_names_the_recording_or_what_of_it_the_box_had_signed_and_no_other(case: Case, tmp_path: Path) -> None:
    with zipfile.ZipFile(case.package) as file:
        manifest = file.read(f"{case.recording.id}/manifest-sha256.txt")
        ledger = file.read(f"{case.recording.id}/data/ledger.tsv").splitlines(keepends=True)
    sealed = slip.written(digest(manifest))
    assert len(sealed.split()) == 16
    for typed in (sealed, sealed.upper(), sealed.replace(" ", "")):
        result = case.run(case.package, "--keys", case.ring, "--slip", typed)
        assert result.returncode == 0
        assert "this very recording" in result.stdout
    result = case.run(case.package, "--keys", case.ring, "--slip", slip.written(digest(ledger[3])))
    assert result.returncode == 0
    assert "up to line 3" in result.stdout
    assert case.run(case.package, "--slip", sealed).returncode == 3
    other = case.run(Case(tmp_path / "other").package, "--keys", case.ring, "--slip", sealed)
    assert "this very recording" not in other.stdout
    result = case.run(case.package, "--keys", case.ring, "--slip", digest(b"x"))
    assert result.returncode == 1
    assert "names other bytes" in result.stdout
    for wrong in ("", "x" * 64, "0" * 63):
        result = case.run(case.package, "--slip", wrong)
        assert result.returncode == 2
        assert "--slip" in result.stderr
