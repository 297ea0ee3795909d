"""A recording's whole life where packages lie in a bucket of a real server: sealed, heard, checked, destroyed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from botocore.exceptions import ClientError
from django.utils import timezone

from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.configuration.storage import S3, Store
from archive.core.jobs import require_all
from archive.custody.models import Entry
from archive.keystore.recording_keys import recording_keys
from archive.recordings import bucket_proof
from archive.recordings.bucket_locks import bring_all_in_line, out_of_line
from archive.recordings.bucket_proof import prove_when_due
from archive.recordings.custody_kinds import PROBLEM
from archive.recordings.models import Recording, State
from archive.recordings.playback import open_audio
from archive.records.destruction import deeds
from archive.records.destruction.models import Destruction
from archive.records.destruction.models import State as Standing
from archive.records.errors import DeedError
from archive.records.holds.deeds import release
from archive.sealing.audit import Code, audit
from archive.sealing.custody_kinds import SEAL
from archive.sealing.seal import seal
from archive.sealing.sealer import Sealer
from archive.store.bucket_trust import PROOF, Proof
from archive.store.current import store
from archive.store.s3 import S3Store
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import make_hold, make_matter
from tests.support.archives import Archive
from tests.support.lying_s3 import Liar
from tests.support.s3_server import s3_server
from tests.support.s3_stores import NO_DESTRUCTION, choose, on_liar, on_real_server


def held_and_released(row: Recording, chosen: S3) -> None:
    """A matter's hold keeps the package from the keys for destructions, which may bypass its lock, until it ends."""
    held = make_hold(make_matter(), recording=row)
    bring_all_in_line(StopSignal())
    (version,) = s3_server().client().list_object_versions(Bucket=chosen.bucket, Prefix=row.package)["Versions"]
    where = {"Bucket": chosen.bucket, "Key": row.package, "VersionId": version["VersionId"]}
    thief = s3_server().client("destruction")
    with pytest.raises(ClientError, match="AccessDenied"):
        thief.delete_object(**where, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        thief.put_object_legal_hold(**where, LegalHold={"Status": "OFF"})
    with pytest.raises(StorageError, match="when its hold does"):
        store().remove(row.package)
    assert list(audit()) == []
    release(held.matter_id, held.pk, "settled", by=make_user("counsel", Deed.HOLD))
    assert [one.code for one in audit()] == [Code.STILL_HELD]
    bring_all_in_line(StopSignal())
    assert list(audit()) == []


def test_a_recording_is_sealed_heard_checked_and_destroyed_in_a_bucket(
    archive: Archive, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = on_real_server()
    choose(monkeypatch, Store(engine="s3", s3=chosen))
    with pytest.raises(SettingsError, match="check-store"):
        require_all()
    archive.run("check-store")
    require_all()
    row = Recording.objects.get(pk=sealed(seconds=2).id)
    assert not (archive.home / "store" / row.package).exists()
    assert list(store().names("packages")) == [row.package]
    assert len(open_audio(row).read(0, 100)) == 100
    archive.run("verify", row.pk)
    assert list(audit()) == []
    held_and_released(row, chosen)
    scene = make_scene(row.pk)
    deeds.carry_out(scene.approved().pk, by=scene.ann)
    assert Destruction.objects.get().state == Standing.DONE
    assert not recording_keys().exists(row.pk)
    listed = s3_server().client().list_object_versions(Bucket=chosen.bucket, Prefix="packages/")
    assert listed.get("Versions", []) == listed.get("DeleteMarkers", []) == [], "no version of it is left"
    assert list(audit()) == []


def test_where_nothing_is_destroyed_before_its_lock_ends_nobody_can_propose_it(
    archive: Archive, sealed: Arrive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path, mode="compliance", **NO_DESTRUCTION)))
    scene = make_scene(sealed(seconds=1).id)
    Recording.objects.update(sealed_at=timezone.now() - timedelta(days=1))
    with pytest.raises(DeedError, match="locked"):
        scene.propose()
    Recording.objects.update(sealed_at=timezone.now() - timedelta(days=3))
    scene.propose()


@pytest.fixture
def bucket(archive: Archive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liar:
    """The bucket that the archive keeps its packages in."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path)))
    archive.run("check-store")
    return liar


def test_an_audit_asks_for_lists_and_for_no_package_that_fits(bucket: Liar, sealed: Arrive) -> None:
    """One request each would take 20 minutes for the recordings of 25 rooms after five years."""
    asked = []
    for _ in range(3):
        sealed(seconds=1)
        before = len(bucket.asked)
        assert list(audit()) == []
        asked.append(len(bucket.asked) - before)
    assert asked == [asked[0]] * 3


def versions(liar: Liar) -> list[int]:
    """How many versions each package has."""
    return [len(kept) for key, kept in liar.objects.items() if key.startswith("packages/") and kept]


@pytest.mark.parametrize("fault", ["loses", "cuts uploads", "cuts answers", "unavailable"])
def test_there_is_no_receipt_before_the_package_is_really_there(arrive: Arrive, bucket: Liar, fault: str) -> None:
    """Also where the bucket said that it keeps it: what arrived stays here, and is sealed once, later."""
    made = arrive(seconds=1)
    bucket.lies = {fault}
    with pytest.raises(StorageError):
        seal(made.id)
    row = Recording.objects.get(pk=made.id)
    assert (row.state, row.receipt, store().incoming()) == (State.CLOSED, None, [made.id])
    bucket.lies = set()
    row = seal(made.id)
    assert (row.state, row.receipt is not None, versions(bucket)) == (State.SEALED, True, [1])
    assert seal(made.id).receipt == row.receipt
    assert list(audit()) == []


@pytest.mark.parametrize("fault", ["locks nothing", "locks for less"])
def test_there_is_no_receipt_before_the_package_is_really_locked(arrive: Arrive, bucket: Liar, fault: str) -> None:
    """A second attempt finds the package there, and believes its lock no more than the first one did."""
    made = arrive(seconds=1)
    bucket.lies = {fault, "renews nothing"}
    for attempt in ("first", "second", "third"):
        with pytest.raises(StorageError, match="lock"):
            seal(made.id)
        row = Recording.objects.get(pk=made.id)
        assert (row.state, row.receipt, store().incoming()) == (State.CLOSED, None, [made.id]), attempt
    bucket.lies = {fault}
    row = seal(made.id)
    (kept,) = bucket.objects[row.package]
    days = (datetime.fromisoformat(kept.until) - timezone.now()) / timedelta(days=1)
    assert (kept.mode, round(days)) == ("GOVERNANCE", 2)
    assert (row.state, row.receipt is not None, store().incoming()) == (State.SEALED, True, [])
    assert list(audit()) == []


def test_what_was_sealed_is_not_locked_anew_by_sealing_it_again(arrive: Arrive, bucket: Liar) -> None:
    row = seal(arrive(seconds=1).id)
    (kept,) = bucket.objects[row.package]
    kept.until = (timezone.now() - timedelta(days=1)).isoformat()
    then = kept.until
    assert seal(row.pk).receipt == row.receipt
    assert kept.until == then


def test_a_package_that_the_bucket_loses_after_its_receipt_is_told(sealed: Arrive, bucket: Liar) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    bucket.objects.clear()
    assert [(one.code, one.recording) for one in audit()] == [(Code.NO_PACKAGE, row.pk)]
    bring_all_in_line(StopSignal())
    assert out_of_line().problems == {row.pk: "its package is not in the bucket"}


def test_an_hour_without_a_network_to_the_bucket_loses_nothing_and_seals_nothing_twice(
    arrive: Arrive, bucket: Liar
) -> None:
    now = 0.0
    sealer = Sealer(clock=lambda: now)
    bucket.lies = {"unavailable"}
    made = [arrive(seconds=1).id]
    for minute in range(0, 60, 10):
        now = minute * 60.0
        assert sealer.once() == 0
        if minute == 30:
            made.append(arrive(seconds=1).id)
    assert set(store().incoming()) == set(made), "what arrived waits here"
    assert not Recording.objects.exclude(receipt=None).exists()
    assert Entry.objects.filter(code=PROBLEM.code).count() == len(made), "told once, not each time"
    bucket.lies, bucket.asked = {"cuts after writing"}, []
    now += 10 * 60.0
    assert (sealer.once(), sealer.once()) == (2, 0)
    assert (versions(bucket), store().incoming()) == ([1, 1], [])
    assert Recording.objects.filter(state=State.SEALED, problem="").count() == len(made)
    assert list(audit()) == []


def test_a_lock_that_gives_way_later_is_noticed_within_a_day_and_nothing_is_sealed_until_it_holds(
    arrive: Arrive, bucket: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.lies, bucket.asked = {"deletes"}, []
    prove_when_due(StopSignal())
    assert bucket.asked == [], "the proof is of today"
    monkeypatch.setattr(bucket_proof, "LASTS", timedelta(0))
    bucket.lies = {"unavailable"}
    prove_when_due(StopSignal())
    require_all()  # a bucket that is away has not given way
    bucket.lies = {"deletes"}
    prove_when_due(StopSignal())
    with pytest.raises(SettingsError, match="check-store"):
        require_all()
    made, sealer = arrive(seconds=1), Sealer()
    assert (sealer.once(), sealer.once()) == (0, 0)
    row = Recording.objects.get(pk=made.id)
    assert (row.state, row.receipt, store().incoming()) == (State.CLOSED, None, [made.id]), "the box keeps it"
    bucket.lies = set()
    prove_when_due(StopSignal())
    require_all()
    assert sealer.once() == 1
    assert versions(bucket) == [1]


def test_a_proof_of_before_the_clock_was_put_back_does_not_count(archive: Archive, bucket: Liar) -> None:
    path = archive.home / PROOF
    proof = Proof.model_validate_json(path.read_bytes())
    path.write_text(proof.model_copy(update={"at": proof.at + timedelta(hours=1)}).model_dump_json())
    prove_when_due(StopSignal())
    assert Proof.model_validate_json(path.read_bytes()).at < proof.at + timedelta(hours=1)


def test_two_workers_at_one_package_because_the_bucket_was_slow_seal_it_once(
    arrive: Arrive, bucket: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of the first ran out while it waited for the bucket: the other one does all of it meanwhile."""
    made, kept = arrive(seconds=1), S3Store.keep
    others: list[Recording] = []

    def slowly(self: S3Store, name: str, body: BinaryIO) -> None:
        monkeypatch.setattr(S3Store, "keep", kept)
        others.append(seal(made.id))
        kept(self, name, body)

    monkeypatch.setattr(S3Store, "keep", slowly)
    row = seal(made.id)
    assert [one.receipt for one in others] == [row.receipt]
    assert versions(bucket) == [1]
    assert Entry.objects.filter(code=SEAL.code, subject_id=made.id).count() == 1
    assert list(audit()) == []


def test_a_bucket_that_is_away_delays_the_seal_and_loses_nothing(
    archive: Archive, arrive: Arrive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is cut for an hour: what arrives waits here, is sealed once afterwards, and nothing twice."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path)))
    liar.lies = {"unavailable"}
    made = arrive(seconds=1)
    with pytest.raises(StorageError, match="tried again later"):
        seal(made.id)
    assert store().incoming() == [made.id]
    liar.lies = {"cuts after writing"}
    row = seal(made.id)
    assert row.state == State.SEALED
    assert store().incoming() == []
    assert [len(versions) for key, versions in liar.objects.items() if key.startswith("packages/")] == [1]
    assert list(audit()) == []
