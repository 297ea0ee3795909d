"""The evidence package of a recording that no box made: checked offline, and nowhere called more than it is."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import bagit
import pytest

from appliance.contract.encryption import Identity
from appliance.contract.evidence_package import brought_name, sealed_name
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.verification import Report, verify, verify_evidence, verify_outside
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.devices.keyring import key_ring
from archive.recordings.secrets import secret_of
from archive.records.evidence.package import evidence_package
from archive.records.outside_recordings import filing_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.store.current import store
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check, parse
from tests.archive.records.factories import make_meeting, make_student
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive

from .test_evidence import parts_of, put_together, with_manifests_that_fit

WAV = sound("WAV")


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


@pytest.fixture
def row(ann: User) -> OutsideRecording:
    """What was brought of a meeting about Ana Torres."""
    made = brought(ann, WAV)
    filing = filing_deeds.file_outside(made.pk, make_meeting(make_student("Ana", "Torres")), by=ann)
    filing_deeds.confirm(made.pk, filing.pk, by=make_user("bob"))
    return made


def whole(row: OutsideRecording) -> bytes:
    noted: list[tuple[str, int]] = []
    data = b"".join(evidence_package(row, lambda sha256, size: noted.append((sha256, size))))
    assert noted == [(hashlib.sha256(data).hexdigest(), len(data))]
    return data


def package(row: OutsideRecording) -> bytes:
    return store().read(outside_package(row.pk))


def checked(data: bytes, identity: Identity | None = None, ring: KeyRing | None = None) -> Report:
    return verify_outside(io.BytesIO(data), ring or key_ring(), identity)


def test_it_is_checked_offline_by_the_command_and_called_as_brought(row: OutsideRecording, tmp_path: Path) -> None:
    file, ring = tmp_path / "evidence.zip", tmp_path / "keyring.json"
    file.write_bytes(whole(row))
    ring.write_text(key_ring().model_dump_json())
    command = [sys.executable, "-m", "appliance.command", "verify", str(file), "--keys", str(ring), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], told["audio_checked"]) == (6, "as-brought", True)
    assert any("the one that was brought, byte for byte" in one for one in told["checks"])
    assert any("no box made it" in one for one in told["notes"])
    with zipfile.ZipFile(file) as opened:
        opened.extractall(tmp_path)
    bagit.Bag(str(tmp_path / f"evidence-{row.pk}")).validate()


def test_its_summary_says_its_grade_in_both_languages(row: OutsideRecording) -> None:
    held = dict(parts_of(whole(row)))
    assert held[brought_name(row.pk, "wav")] == WAV
    assert held[sealed_name(row.pk)] == package(row)
    assert json.loads(held["data/records/meetings.json"])[0]["student"] == "Ana Torres"
    assert b"outside-sealed" in held["data/premis.xml"]
    assert held["data/summary.pdf"].startswith(b"%PDF-")
    for name, words in (("summary", "No recorder (box) of the district made"), ("summary.es", "Ninguna grabadora")):
        page = parse(held[f"data/{name}.html"].decode())
        assert words in page.text
        assert "Kim Vo, teacher" in page.text
        assert row.sha256 in page.text
        assert "red lamp tells" not in page.text.lower()
        assert "lámpara roja avisa" not in page.text.lower()
        assert "intact" not in page.text.lower()


def test_a_changed_byte_of_any_part_is_found(row: OutsideRecording) -> None:
    data = whole(row)
    parts = parts_of(data)
    for place, (name, held) in enumerate(parts):
        if name.startswith(("data/recording/", "data/custody/head", "data/custody/entries")):
            changed = [*parts[:place], (name, bytes([held[0] ^ 1]) + held[1:]), *parts[place + 1 :]]
            for made in (changed, with_manifests_that_fit(changed)):
                assert verify_evidence(io.BytesIO(put_together(row.pk, made)), key_ring()).verdict == "tampered", name


def test_a_sealed_package_is_checked_by_itself(row: OutsideRecording) -> None:
    data = package(row)
    assert checked(data).words.startswith("As brought, as far as it was checked")
    report = checked(data, secret_of(row.pk))
    assert (report.verdict, report.status, report.file_sha256) == ("as-brought", 6, row.sha256)
    assert checked(data, Identity.generate()).verdict == "wrong-key"
    assert checked(data, ring=KeyRing()).verdict == "not-pinned"
    assert checked(data, ring=KeyRing(archives=[SigningKey.generate().public])).verdict == "tampered"
    for at in range(0, len(data), 997):
        spoiled = bytearray(data)
        spoiled[at] ^= 4
        assert checked(bytes(spoiled), secret_of(row.pk)).verdict == "tampered", at
    for cut in (b"", data[:100], data[:-1], data + b"x"):
        assert checked(cut).verdict in {"tampered", "not-a-package"}
    assert verify(io.BytesIO(data), key_ring()).verdict == "tampered", "it is no box's"


def test_the_page_hands_it_out_with_its_entries_and_not_while_it_is_restricted(
    archive: Archive, row: OutsideRecording, ann: User
) -> None:
    client, place = archive.client(), f"/outside-recordings/{row.pk}/"
    client.force_login(ann)
    page = check(client.get(place).content.decode())
    assert f"{place}evidence/" in {one.get("href") for one in page.all("a")}
    check(client.get(f"{place}evidence/").content.decode())
    assert verify_evidence(io.BytesIO(b"".join(client.get(f"{place}evidence.zip"))), key_ring()).verdict == "as-brought"
    found = [one.code for one in Entry.objects.about(Subject.outside(row.pk)).order_by("n")]
    assert found[-2:] == ["evidence", "evidence-whole"]
    filing_deeds.restrict(row.pk, "staff talked on", by=ann)
    other = signed_in(archive, "dan", Deed.LOOK, Deed.DOWNLOAD)
    assert "There is none for you" in check(other.get(f"{place}evidence/").content.decode()).text
    refused = other.get(f"{place}evidence.zip")
    assert (refused.status_code, "this recording is restricted" in check(refused.content.decode()).text) == (403, True)
    assert other.get(f"/recordings/{row.pk}/evidence/").status_code == 404
