"""The evidence package: complete, checked by others' tools, refused where a copy is, and written down."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import bagit
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.encryption import Identity
from appliance.contract.evidence_package import EvidenceStatement
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.verification import Report, verify_evidence
from appliance.contract.verification.evidence_bag import open_bag
from appliance.contract.zip_stream import ZipStream
from archive.access.deeds import Deed
from archive.devices.keyring import key_ring
from archive.recordings.models import Recording
from archive.records.destruction.deeds import carry_out
from archive.records.evidence.package import evidence_package
from archive.records.meetings.models import OpeningEvent
from archive.records.people.models import Person
from archive.records.requests.models import Amendment, Statement
from archive.records.restrictions.models import Restriction
from archive.sealing.seal import seal
from tests.archive.page_fixtures import RATE, Arrive, entries, seal_one, signed_in
from tests.archive.pages import check, parse
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import (
    NOON,
    grant_student,
    make_account,
    make_bar,
    make_filing,
    make_meeting,
    make_person,
    make_right,
    make_student,
)
from tests.support.archives import Archive, archive_in, lose_key
from tests.support.box_requests import send
from tests.support.spools import Keys
from tests.support.spools import Recording as Spooled

SAID = "I asked for one hour, and not for half an hour."


@dataclass(frozen=True)
class Package:
    """An evidence package, and what it is checked with where no archive is."""

    recording: str
    data: bytes
    ring: KeyRing
    keys: Keys


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """One package for all that only read it: to print its summaries takes half a second."""
    with archive_in(tmp_path_factory.mktemp("evidence") / "archive") as made:
        row = about_ana_torres(seal_one(made, tmp_path_factory.mktemp("spool"), seconds=3).id)
        return Package(row.pk, whole(row), key_ring(), made.keys)


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    """The same, in an archive that is there."""
    return about_ana_torres(sealed(seconds=3).id)


def about_ana_torres(made: str) -> Recording:
    """A recording of a meeting about Ana Torres, with a statement of her mother's."""
    row = Recording.objects.get(pk=made)
    student, parent = make_student("Ana", "Torres"), make_person("Rosa", "Torres")
    make_right(parent, student)
    meeting = make_meeting(student)
    make_filing(row.pk, meeting)
    OpeningEvent.objects.create(
        meeting=meeting, recording=row, kind="told", at=NOON, received_at=NOON, who="Lee Park, therapist", frame=8000
    )
    asked = Amendment.objects.create(
        student=student, person=parent, recording=row, received_on=NOON.date(), text="The hour is wrong."
    )
    Statement.objects.create(amendment=asked, recording=row, text=SAID, placed_at=NOON)
    return row


def whole(row: Recording, **options: Any) -> bytes:
    noted: list[tuple[str, int]] = []
    data = b"".join(evidence_package(row, lambda sha256, size: noted.append((sha256, size)), **options))
    assert noted == [(hashlib.sha256(data).hexdigest(), len(data))]
    return data


def checked(data: bytes, ring: KeyRing | None = None, identity: Identity | None = None) -> Report:
    return verify_evidence(io.BytesIO(data), ring or key_ring(), identity)


def test_all_of_it_is_checked_offline(package: Package) -> None:
    report = checked(package.data, package.ring)
    assert (report.verdict, report.problem, report.recording) == ("intact", "", package.recording)
    told = "\n".join(report.checks)
    for words in (
        "the pinned archive key signed the manifest",
        "custody entries are in the log",
        "sealed package: all 3 segments open",
        "the FLAC file holds exactly the samples that were sealed",
    ):
        assert words in told
    assert sum("not checked" in note for note in report.notes) == 2


def test_the_reference_tool_finds_a_valid_bag(package: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package.data)) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    bag = bagit.Bag(str(tmp_path / f"evidence-{package.recording}"))
    bag.validate()
    assert bag.version == "1.0"
    assert set(bag.algorithms) == {"sha256", "sha512"}
    assert bag.info["External-Identifier"] == package.recording


def test_it_holds_what_there_is(package: Package) -> None:
    with zipfile.ZipFile(io.BytesIO(package.data)) as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    assert json.loads(held["data/records/meetings.json"])[0]["student"] == "Ana Torres"
    assert json.loads(held["data/records/statements.json"])[0]["text"] == SAID
    assert SAID.encode() in held["data/records/statements/statement-1.txt"]
    assert held[f"data/recording/{package.recording}.flac"].startswith(b"fLaC")
    assert held["data/summary.pdf"].startswith(b"%PDF-")
    assert b"premis" in held["data/premis.xml"]
    assert "sealed" in held["data/custody/log.txt"].decode()
    for name, words in (("summary", "Lee Park"), ("summary.es", "Lee Park")):
        page = parse(held[f"data/{name}.html"].decode())
        assert page.one("html").get("lang") == (name.partition(".")[2] or "en")
        assert words in page.text
        assert SAID in page.text


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(name.partition("/")[2], file.read(name)) for name in file.namelist()]


def put_together(recording: str, parts: list[tuple[str, bytes]]) -> bytes:
    """A ZIP of these members as our own writer makes it, whatever they are."""
    out = ZipStream(NOON)
    return b"".join([out.small(f"evidence-{recording}/{name}", data) for name, data in parts]) + out.end()


def with_manifests_that_fit(parts: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """What somebody without the archive's key makes of a changed payload."""
    payload = [(name, data) for name, data in parts if name.startswith("data/")]
    tags = {name: data for name, data in parts if not name.startswith("data/")}
    for algorithm in ("sha256", "sha512"):
        lines = [f"{hashlib.new(algorithm, data).hexdigest()}  {name}\n" for name, data in payload]
        tags[f"manifest-{algorithm}.txt"] = "".join(lines).encode()
    for algorithm in ("sha256", "sha512"):
        named = [name for name in tags if not name.startswith("tagmanifest")]
        lines = [f"{hashlib.new(algorithm, tags[name]).hexdigest()}  {name}\n" for name in named]
        tags[f"tagmanifest-{algorithm}.txt"] = "".join(lines).encode()
    return [("bagit.txt", tags.pop("bagit.txt")), *payload, *tags.items()]


CHANGES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("data/records/meetings.json", lambda data: data.replace(b"Ana", b"Eva"), "is not the one that the archive signed"),
    ("data/summary.html", lambda data: data + b"<p>It was approved.</p>", "is not the one that the archive signed"),
    ("data/custody/entries.jsonl", lambda data: data.partition(b"\n")[2], "is not the one that the archive signed"),
    ("evidence.tsv", lambda data: data.replace(b"copy", b"kopy"), "evidence.tsv"),
]


@pytest.mark.parametrize(("name", "change", "words"), CHANGES, ids=[one[0] for one in CHANGES])
def test_what_somebody_without_the_archives_key_changes_shows(
    package: Package, name: str, change: Callable[[bytes], bytes], words: str
) -> None:
    parts = parts_of(package.data)
    changed = [(one, change(data) if one == name else data) for one, data in parts]
    assert dict(changed)[name] != dict(parts)[name]
    report = checked(put_together(package.recording, with_manifests_that_fit(changed)), package.ring)
    assert report.verdict == "tampered"
    assert words in report.problem
    plain = checked(put_together(package.recording, changed), package.ring)
    assert (plain.verdict, name in plain.problem) == ("tampered", True)


def signed_anew(keys: Keys, parts: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """What the archive's own key can sign of a changed payload."""
    fitting = with_manifests_that_fit(parts)
    held = dict(fitting)
    said = EvidenceStatement.read(held["evidence.tsv"], None)
    new = said.model_copy(update={"manifest_sha256": hashlib.sha256(held["manifest-sha256.txt"]).hexdigest()})
    line = new.sign(keys.archive_signing)
    return with_manifests_that_fit([(name, line if name == "evidence.tsv" else data) for name, data in fitting])


def silent(data: bytes) -> bytes:
    """The same length of silence, as a FLAC file."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        frames, rate = file.frames, file.samplerate
    out = io.BytesIO()
    soundfile.write(out, np.zeros(frames, np.int16), rate, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def test_not_even_the_archive_can_put_in_what_was_not_sealed_or_logged(package: Package) -> None:
    def signed(parts: list[tuple[str, bytes]]) -> Report:
        return checked(put_together(package.recording, signed_anew(package.keys, parts)), package.ring)

    parts = parts_of(package.data)
    assert signed(parts).verdict == "intact"
    audio = [(name, silent(data) if name.endswith(".flac") else data) for name, data in parts]
    assert "is not the audio that was sealed" in signed(audio).problem

    first = dict(parts)["data/custody/entries.jsonl"].partition(b"\n")[0]
    code = json.loads(first)["entry"][7]
    log = [
        (name, data.replace(f'"{code}"'.encode(), b'"listen"', 1) if name.endswith("entries.jsonl") else data)
        for name, data in parts
    ]
    assert "is not in the log" in signed(log).problem
    short = [(name, data.partition(b"\n")[2] if name.endswith("entries.jsonl") else data) for name, data in parts]
    assert "the archive signed" in signed(short).problem


def test_a_changed_byte_in_any_file_shows(package: Package) -> None:
    data = package.data
    for name, (begin, size) in open_bag(io.BytesIO(data)).members.items():
        changed = bytearray(data)
        changed[begin + size // 2] ^= 0x55
        assert checked(bytes(changed), package.ring).verdict == "tampered", name


@pytest.mark.parametrize("end", [b"", b"\r", b"\x0b", b"\x1c"])
def test_a_line_of_a_manifest_ends_as_the_format_says_and_not_as_some_reader_takes_it(
    package: Package, end: bytes
) -> None:
    data = package.data
    start, size = open_bag(io.BytesIO(data)).members["tagmanifest-sha256.txt"]
    changed = data[: start + size - 1] + (end or b"0") + data[start + size :]
    assert checked(changed, package.ring).verdict == "tampered"


def test_bytes_between_the_members_and_a_cut_file_show(package: Package) -> None:
    data = package.data
    assert "cut off" in checked(data[: len(data) // 2], package.ring).problem
    assert checked(data + b"more", package.ring).verdict == "tampered"


@given(st.binary(max_size=400), st.integers(0, 300))
def test_no_file_makes_the_check_fail(noise: bytes, keep: int) -> None:
    head = b"PK\x03\x04" + bytes(26) + b"evidence-" + b"0" * 32 + b"/bagit.txt"
    report = verify_evidence(io.BytesIO(head[:keep] + noise), None)
    assert report.verdict == "tampered"


def test_without_keys_from_outside_it_is_not_pinned(package: Package) -> None:
    report = verify_evidence(io.BytesIO(package.data), None)
    assert (report.verdict, report.status) == ("not-pinned", 3)
    stranger = KeyRing(archives=[SigningKey.generate().public])
    assert "does not have the archive key" in checked(package.data, stranger).problem


def test_the_command_tells_what_it_checked_and_what_not(package: Package, tmp_path: Path) -> None:
    file, ring = tmp_path / "evidence.zip", tmp_path / "keyring.json"
    file.write_bytes(package.data)
    ring.write_text(package.ring.model_dump_json())
    command = [sys.executable, "-m", "appliance.command", "verify", str(file), "--keys", str(ring)]
    # on another machine, there is no archive
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("BagIt manifests", "custody entries", "the FLAC file", "not checked: what the summary", "Intact."):
        assert words in done.stdout


def test_it_is_entered_before_its_first_byte_and_after_its_last(archive: Archive, row: Recording) -> None:
    client = signed_in(archive, "m.jones", role="custodian")
    page = check(client.get(f"/recordings/{row.pk}/evidence/").content.decode())
    assert "disclose it" in page.text
    there = client.get(f"/recordings/{row.pk}/").content.decode()
    assert f"/recordings/{row.pk}/evidence/" in there
    assert client.head(f"/recordings/{row.pk}/evidence.zip").status_code == 200
    assert entries(row.pk, "evidence") == []
    answer = client.get(f"/recordings/{row.pk}/evidence.zip")
    assert [entry.member("ground") for entry in entries(row.pk, "evidence")] == ["official"]
    assert entries(row.pk, "evidence-whole") == []
    data = b"".join(answer)
    (done,) = entries(row.pk, "evidence-whole")
    assert (done.member("sha256"), done.member("bytes")) == (hashlib.sha256(data).hexdigest(), len(data))
    held = dict(parts_of(data))["data/custody/log.txt"].decode()
    assert "m.jones\ttook out an evidence package" in held, "the entry for this very package is in it"


def test_one_that_is_broken_off_is_not_called_complete(row: Recording) -> None:
    pieces = evidence_package(row, lambda *_: pytest.fail("it was not taken whole"))
    next(pieces)
    del pieces


def test_a_parent_takes_their_own_and_the_log_says_so(archive: Archive, row: Recording) -> None:
    parent = Person.objects.get(family_name="Torres")
    user = make_account(parent)
    grant_student(user, row.filings.get().meeting.student, Deed.OWN, Deed.LOOK, Deed.LISTEN, Deed.DOWNLOAD)
    client = archive.client()
    client.force_login(user)
    assert checked(b"".join(client.get(f"/recordings/{row.pk}/evidence.zip"))).verdict == "intact"
    assert entries(row.pk, "evidence")[0].member("ground") == "own"
    make_bar(parent, row.filings.get().meeting.student)
    assert client.get(f"/recordings/{row.pk}/evidence.zip").status_code == 403


def test_who_may_hear_a_part_gets_none(archive: Archive, row: Recording) -> None:
    """34 CFR 99.12(a), and restricted passages."""
    listener = signed_in(archive, "k.vo", Deed.LOOK, Deed.DOWNLOAD)
    Restriction.objects.create(recording=row, first_frame=8000, reason="Staff talked on.", made_at=NOON)
    answer = listener.get(f"/recordings/{row.pk}/evidence.zip")
    assert answer.status_code == 403
    assert "There is none for you" in check(listener.get(f"/recordings/{row.pk}/evidence/").content.decode()).text
    assert "/evidence/" not in listener.get(f"/recordings/{row.pk}/").content.decode()
    assert entries(row.pk, "evidence") == []
    whole_listener = signed_in(archive, "m.jones", role="custodian")
    assert whole_listener.get(f"/recordings/{row.pk}/evidence.zip").status_code == 200


def test_an_unsealed_a_destroyed_and_an_unknown_recording_have_none(
    archive: Archive, sealed: Arrive, arrive: Arrive
) -> None:
    client = signed_in(archive, "m.jones", role="custodian")
    for recording, status in ((arrive(seconds=1).id, 404), ("0" * 32, 404)):
        assert client.get(f"/recordings/{recording}/evidence.zip").status_code == status
        assert client.get(f"/recordings/{recording}/evidence/").status_code == status
    scene = make_scene(sealed(seconds=1).id)
    carry_out(scene.approved().pk, by=scene.bob)
    assert client.get(f"/recordings/{scene.row.pk}/evidence.zip").status_code == 410
    assert entries(scene.row.pk, "evidence") == []


def test_without_its_key_it_holds_what_was_sealed_and_says_why(row: Recording) -> None:
    lose_key(row.pk)
    data = whole(row)
    held = dict(parts_of(data))
    assert not {f"data/recording/{row.pk}.flac", "data/recording/key.txt"} & set(held)
    assert "cannot open all of the recording" in parse(held["data/summary.html"].decode()).text
    report = checked(data)
    assert (report.verdict, report.audio_md5) == ("intact", "")
    assert any("no audio file" in note for note in report.notes)


def test_a_transfer_opens_for_the_other_archive_alone(row: Recording) -> None:
    other = Identity.generate()
    data = whole(row, recipient=other.recipient)
    held = dict(parts_of(data))
    assert f"data/recording/{row.pk}.flac" not in held
    assert "data/recording/key.txt" not in held
    key = Identity.parse(other.decrypt(held["data/recording/key.age"]).decode())
    assert checked(data).audio_md5 == ""
    report = checked(data, identity=key)
    assert report.verdict == "intact"
    assert report.audio_md5
    assert any("it is a transfer" in note for note in report.notes)


def test_premis_has_the_elements_in_the_order_of_its_schema(package: Package) -> None:
    """Held against the Library of Congress's schema by hand; its text has no license that would let it stand here."""
    root = ElementTree.fromstring(dict(parts_of(package.data))["data/premis.xml"])
    assert root.tag == "{http://www.loc.gov/premis/v3}premis"
    kinds = [one.tag.rpartition("}")[2] for one in root]
    assert list(dict.fromkeys(kinds)) == ["object", "event", "agent"]
    orders = {
        "object": ["objectIdentifier", "objectCharacteristics", "originalName"],
        "event": [
            *("eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation", "eventOutcomeInformation"),
            *("linkingAgentIdentifier", "linkingObjectIdentifier"),
        ],
        "agent": ["agentIdentifier", "agentName", "agentType"],
    }
    agents = {one.findtext(".//{*}agentIdentifierValue") for one in root.iterfind("{*}agent")}
    for kind, one in zip(kinds, root, strict=True):
        found = [child.tag.rpartition("}")[2] for child in one]
        assert found == [name for name in orders[kind] if name in found]
    for event in root.iterfind("{*}event"):
        assert event.findtext(".//{*}linkingAgentIdentifierValue") in agents
    assert {"ingestion start", "fixity check"} <= {one.findtext("{*}eventType") for one in root.iterfind("{*}event")}


def test_promise_1_the_summary_names_a_lamp_that_its_sensor_did_not_see(archive: Archive, tmp_path: Path) -> None:
    told = []
    for seen in (True, False):
        made = Spooled(tmp_path, archive.keys, rate=RATE, segment_frames=RATE, about={"lamp": "verified"})
        made.begin()
        made.segment()
        made.note("audio", open=False, at_ns=made.now_ns, generation=1)
        made.note("lamp", lit=False, commanded_ns=made.now_ns, seen_ns=made.now_ns if seen else None)
        made.close("interrupted")
        send(archive.client(), made)
        seal(made.id)
        with zipfile.ZipFile(io.BytesIO(whole(Recording.objects.get(pk=made.id)))) as file:
            names = [f"evidence-{made.id}/data/summary{ending}.html" for ending in ("", ".es")]
            told.append([parse(file.read(name).decode()).text for name in names])
    (sound, _), (failed, in_spanish) = told
    assert "A sensor saw that it was lit" in sound
    assert "A sensor saw that it was lit" not in failed
    assert "at least once did not see it light up or go out" in failed
    assert "Red lamp switched off, but the sensor did not see it go out" in failed
    assert "no sensor is wired" not in failed
    assert "pero el sensor no la vio apagarse" in in_spanish
