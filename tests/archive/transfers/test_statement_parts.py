"""A statement goes with the part that it relates to in the other archive as well (34 CFR 99.21(c)(2), 99.12(a))."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.contract.encryption import Identity
from appliance.contract.errors import FormatError, SettingsError
from appliance.contract.keys import KeyRing
from archive.custody.actors import ARCHIVE
from archive.devices.keyring import key_ring
from archive.keystore.current import keystore
from archive.recordings.companions import Companion, companions_of
from archive.recordings.models import Recording
from archive.recordings.parts import Part, Parts
from archive.records.evidence import statement_parts
from archive.records.evidence.package import evidence_package
from archive.records.requests.models import Amendment, Statement
from archive.transfers.models import TakenIn
from archive.transfers.taking_in import take_in
from tests.archive.page_fixtures import RATE, seal_one
from tests.archive.records.factories import NOON, make_filing, make_meeting, make_person, make_right, make_student
from tests.support.archives import Archive, archive_in

ANA, BEN, ALL = "Ana asked for one hour.", "Ben was not asked.", "Both of it is wrong."


@dataclass(frozen=True)
class Handed:
    """What the other archive hands over."""

    data: bytes
    unclear: bytes
    """The same with parts that nobody can read."""
    ring: KeyRing


def packed(row: Recording, recipient: str = "") -> bytes:
    return b"".join(evidence_package(row, lambda *_: None, recipient=recipient))


def placed(row: Recording, name: str, text: str, first: int | None, last: int | None) -> None:
    student, parent = make_student(name), make_person(f"{name}'s mother")
    make_right(parent, student)
    make_filing(row.pk, make_meeting(student), first_frame=first, last_frame=last)
    asked = Amendment.objects.create(
        student=student, person=parent, recording=row, received_on=NOON.date(), text="The hour is wrong."
    )
    Statement.objects.create(amendment=asked, recording=row, text=text, placed_at=NOON)


@pytest.fixture(scope="module")
def opening() -> Identity:
    return Identity.generate()


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory, opening: Identity) -> Handed:
    """A recording of 3 s: its first second is about Ana, the rest about Ben, and all of it about Cleo."""
    with archive_in(tmp_path_factory.mktemp("theirs") / "archive") as theirs:
        row = Recording.objects.get(pk=seal_one(theirs, tmp_path_factory.mktemp("spool"), seconds=3).id)
        placed(row, "Ana", ANA, None, RATE)
        placed(row, "Ben", BEN, RATE, None)
        placed(row, "Cleo", ALL, None, None)
        data = packed(row, opening.recipient)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statement_parts, "written", lambda _: [Companion(statement_parts.NAME, "x")])
            return Handed(data, packed(row, opening.recipient), key_ring())


@pytest.fixture
def archive(opening: Identity, tmp_path: Path) -> Iterator[Archive]:
    """The archive here, to which it is addressed."""
    with archive_in(tmp_path / "archive") as made:
        (made.home / "keys" / "opening.txt").unlink()
        opening.save(made.home / "keys" / "opening.txt")
        keystore.cache_clear()
        yield made


@pytest.fixture
def row(archive: Archive, handed: Handed) -> Recording:
    take_in(io.BytesIO(handed.data), handed.ring, "Springfield R-XII", ARCHIVE)
    return Recording.objects.get()


def said(row: Recording, parts: Parts | None) -> set[str]:
    told = [bytes(one.text).decode() if isinstance(one.text, bytes) else one.text for one in companions_of(row, parts)]
    return {text for text in (ANA, BEN, ALL) if any(text in one for one in told)}


def test_each_statement_goes_with_its_part_and_with_no_other(row: Recording) -> None:
    assert said(row, None) == {ANA, BEN, ALL}
    assert said(row, (Part(0, RATE),)) == {ANA, ALL}
    assert said(row, (Part(RATE, None),)) == {BEN, ALL}
    assert said(row, (Part(RATE - 1, RATE + 1),)) == {ANA, BEN, ALL}
    assert said(row, ()) == set(), "with nothing of it, nothing goes along"


def test_which_part_it_is_survives_the_next_transfer_as_well(row: Recording) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(row))) as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    known = json.loads(held["data/records/statements/parts.json"])
    texts = {name: held[f"data/records/statements/{name}"].decode() for name in known}
    assert {(text, str(known[name])) for text in (ANA, BEN) for name in known if text in texts[name]} == {
        (ANA, f"[[0, {RATE}]]"),
        (BEN, f"[[{RATE}, None]]"),
    }
    assert not any(ALL in text for text in texts.values()), "what relates to all of it needs no part"


def test_the_first_package_says_it_to_people_and_programs(handed: Handed) -> None:
    with zipfile.ZipFile(io.BytesIO(handed.data)) as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    told = {one["text"]: one.get("part") for one in json.loads(held["data/records/statements.json"])}
    assert told == {ANA: f"0-{RATE}", BEN: f"{RATE}-{3 * RATE}", ALL: None}
    assert "0:00:00.000 to 0:00:01.000" in held["data/summary.html"].decode()
    assert "La parte de la grabación de la que trata" in held["data/summary.es.html"].decode()


@pytest.mark.parametrize(
    "told",
    [
        b"x",
        b"[]",
        b'{"statement-1.txt": 1}',
        b'{"a": [[1]]}',
        b'{"a": [[2, 1]]}',
        b'{"a": [[true, 2]]}',
        b'{"a": [[-1, 2]]}',
    ],
)
def test_a_file_that_names_no_parts_is_refused(told: bytes) -> None:
    with pytest.raises(FormatError, match=r"parts\.json"):
        statement_parts.read(told)


def test_a_package_of_which_nobody_can_tell_the_parts_is_not_taken_in(archive: Archive, handed: Handed) -> None:
    with pytest.raises(SettingsError, match="which statement belongs to which part"):
        take_in(io.BytesIO(handed.unclear), handed.ring, "Springfield R-XII", ARCHIVE)
    assert not TakenIn.objects.exists()
