"""What is gone or damaged of a recording that no box made is told as of any recording, in words of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.outside_package import PIECE
from archive.accounts.models import User
from archive.keystore.recording_keys import recording_keys
from archive.records.outside_recordings import seal_deeds, take_in_deeds
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.sealing.audit import audit
from archive.store.current import store
from tests.archive.page_fixtures import make_user
from tests.support.archives import Archive, change_as_owner, lose_key

from .files import SAID, bring, brought, sound


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


def found() -> list[tuple[str, str]]:
    return sorted((one.code.value, one.recording) for one in audit())


def package(archive: Archive, row: OutsideRecording) -> Path:
    path = archive.home / "store" / outside_package(row.pk)
    path.chmod(0o600)
    return path


def test_the_audit_names_what_is_gone_and_what_is_too_much(archive: Archive, ann: User) -> None:
    row, arriving = brought(ann, sound("FLAC")), take_in_deeds.begin(SAID, by=ann)
    assert found() == [], "nothing of it has arrived, so it has no key yet"
    take_in_deeds.add_piece(arriving.pk, 0, PIECE + 1, sound("WAV").ljust(PIECE, b"\0"))
    path = package(archive, row)
    whole, key = path.read_bytes(), recording_keys().read(row.pk)
    path.write_bytes(whole + b"x")
    assert found() == [("other-size", row.pk)]
    path.unlink()
    told = json.loads(archive.run("audit", "--repair", "--json", status=1).stdout)
    assert [(one["code"], one["recording"], one["repaired"]) for one in told] == [("no-package", row.pk, False)]
    assert "no box made" in told[0]["message"]
    path.write_bytes(whole)
    for one in (row, arriving):
        lose_key(one.pk)
    assert found() == sorted(("no-key", one.pk) for one in (row, arriving))
    recording_keys().put_once(row.pk, key)
    take_in_deeds.give_up(arriving.pk, by=ann)
    stranger = "f" * 32
    store().put_once(outside_package(stranger), b"z")
    store().put_once("outside/notes.txt", b"n")
    assert found() == [("misplaced", "outside/notes.txt"), ("unknown-package", stranger)]


def test_what_is_destroyed_while_the_audit_reads_is_no_finding(
    archive: Archive, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = brought(ann, sound("FLAC"))
    kind: Any = type(store())
    whole = kind.exists

    def then_it_is_destroyed(self: object, name: str) -> Any:
        if name == outside_package(row.pk):
            monkeypatch.undo()
            package(archive, row).unlink()
            lose_key(row.pk)
            change_as_owner("UPDATE outside_recordings_outsiderecording SET destroyed_at = sealed_at")
        return whole(self, name)

    monkeypatch.setattr(kind, "exists", then_it_is_destroyed)
    assert found() == []


def test_what_is_given_up_while_it_is_sealed_leaves_no_package(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = bring(ann, sound("FLAC"))
    monkeypatch.setattr(seal_deeds, "require_same", lambda *_: take_in_deeds.give_up(row.pk, by=ann))
    seal_deeds.seal_outside(row.pk)
    assert not store().exists(outside_package(row.pk))
    assert found() == []
