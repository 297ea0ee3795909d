"""What is gone or damaged of a recording that no box made is told as of any recording, in words of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone

from appliance.contract.outside_package import PIECE
from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.configuration.storage import Fixity
from archive.custody.actors import ARCHIVE, Subject
from archive.custody.models import Entry
from archive.keystore.recording_keys import recording_keys
from archive.recordings import fixity
from archive.records.outside_recordings import seal_deeds, take_in_deeds
from archive.records.outside_recordings.check_deeds import check_again, check_due
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import outside_package
from archive.sealing.audit import audit, repair
from archive.store.current import store
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive, change_as_owner, lose_key, without_triggers

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


def test_a_package_that_could_not_be_removed_when_it_was_given_up_is_removed_by_the_audit(ann: User) -> None:
    row = take_in_deeds.begin(SAID, by=ann)
    take_in_deeds.give_up(row.pk, by=ann)
    store().put_once(outside_package(row.pk), b"the store was away then")
    (finding,) = audit()
    assert (finding.code.value, finding.recording) == ("left", row.pk)
    assert repair(finding, ARCHIVE) == ""
    assert not store().exists(outside_package(row.pk))
    assert found() == []


@pytest.fixture
def night(archive: Archive) -> Iterator[None]:
    every_hour = settings.ARCHIVE.model_copy(update={"fixity": Fixity(every_days=10, from_hour=0, to_hour=0)})
    with override_settings(ARCHIVE=every_hour):
        yield


def last_night() -> None:
    """Put every check and seal six days back."""
    then = timezone.now() - timedelta(days=6)
    with without_triggers():
        OutsideRecording.objects.update(sealed_at=then)
        OutsideRecording.objects.exclude(checked_at=None).update(checked_at=then)


def test_what_was_brought_is_checked_at_night_and_its_damage_told_everywhere(
    night: None, archive: Archive, ann: User
) -> None:
    bad = brought(ann, sound("FLAC"))
    check_due(StopSignal())
    assert not Entry.objects.filter(code="outside-checked").exists(), "the seal read them back"
    path = package(archive, bad)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert found() == [], "the audit looks at names and sizes"
    last_night()
    check_due(StopSignal())
    check_due(StopSignal())
    (entry,) = Entry.objects.about(Subject.outside(bad.pk)).filter(code="outside-checked")
    assert "not the one that was sealed" in json.loads(entry.detail)["problem"], "and it is checked once a night"
    report = fixity.report(timezone.now())
    assert (report.packages, report.overdue, report.damaged) == (1, 0, (bad.pk,))
    assert bad.pk in archive.run("fixity", status=1).stdout
    client = signed_in(archive, "carol", role="custodian")
    there = f"/outside-recordings/{bad.pk}/"
    page = check(client.get("/package-checks/").content.decode())
    assert there in [link.attributes["href"] for link in page.all("a")]
    assert "Damaged: Recording that no box made" in check(client.get("/today/").content.decode()).text
    assert "What lies here is not what was sealed" in check(client.get(there).content.decode()).text
    path.write_bytes(whole)
    last_night()
    check_due(StopSignal())
    assert fixity.report(timezone.now()).damaged == ()
    assert "not what was sealed" not in check(client.get(there).content.decode()).text


def test_a_night_takes_its_share_of_what_was_brought_the_oldest_first(night: None, ann: User) -> None:
    rows = [brought(ann, sound("FLAC")) for _ in range(2)]
    with without_triggers():
        for days, row in zip((7, 9), rows, strict=True):
            OutsideRecording.objects.filter(pk=row.pk).update(sealed_at=timezone.now() - timedelta(days=days))
    for _ in range(2):
        check_due(StopSignal())
    checked = OutsideRecording.objects.exclude(checked_at=None)
    assert [one.pk for one in checked] == [rows[1].pk], "two fifths of a package, rounded up"


def test_a_check_of_what_was_brought_tells_a_missing_package_and_no_missing_key_or_store(
    night: None, archive: Archive, ann: User
) -> None:
    row = brought(ann, sound("FLAC"))
    lose_key(row.pk)
    assert check_again(row)
    row.refresh_from_db()
    assert row.damage == "", "its package is what was sealed; the audit tells that its key is gone"
    package(archive, row).unlink()
    assert check_again(row)
    row.refresh_from_db()
    assert "which no box made, is gone" in row.damage
    before = row.checked_at
    (archive.home / "store").rename(archive.home / "away")
    (archive.home / "store").write_text("no folder")
    assert not check_again(row)
    row.refresh_from_db()
    assert row.checked_at == before


def test_what_was_brought_and_is_overdue_is_counted_and_not_checked_by_day(archive: Archive, ann: User) -> None:
    row = brought(ann, sound("FLAC"))
    with without_triggers():
        OutsideRecording.objects.update(sealed_at=timezone.now() - timedelta(days=400))
    assert fixity.report(timezone.now()).overdue == 1
    hour = timezone.localtime().hour
    later = Fixity(from_hour=(hour + 2) % 24, to_hour=(hour + 3) % 24)
    noon = settings.ARCHIVE.model_copy(update={"fixity": later})
    with override_settings(ARCHIVE=noon):
        check_due(StopSignal())
    row.refresh_from_db()
    assert row.checked_at is None
