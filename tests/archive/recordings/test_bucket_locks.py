"""Holds reach the bucket, and locks are renewed there: whatever becomes of the bucket, no deed waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from appliance.contract.errors import StorageError
from appliance.contract.ids import new_recording_id
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.configuration.storage import Store
from archive.core.metrics import gauges
from archive.custody.actors import ARCHIVE
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings import bucket_locks
from archive.recordings.bucket_locks import bring_all_in_line, held_in_bucket, out_of_line
from archive.recordings.models import BucketLock, Recording
from archive.records.errors import DeedError
from archive.records.holds import deeds
from archive.records.outside_recordings.plain_file import outside_package
from archive.sealing.audit import Code, audit, repair
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.destruction.scene import make_scene
from tests.archive.records.factories import make_filing, make_hold, make_matter, make_meeting, make_student
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive
from tests.support.lying_s3 import Liar
from tests.support.s3_stores import NO_DESTRUCTION, choose, on_liar


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.HOLD)


@pytest.fixture
def bucket(archive: Archive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liar:
    """The bucket that the archive keeps its packages in; locks are short, and destructions bypass them."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path)))
    return liar


@pytest.fixture
def strict(archive: Archive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liar:
    """The same, where nothing is destroyed before its lock ends."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path, mode="compliance", **NO_DESTRUCTION)))
    return liar


def work() -> None:
    bring_all_in_line(StopSignal())


def codes() -> list[Code]:
    return [one.code for one in audit()]


def ends(bucket: Liar, row: Recording) -> timedelta:
    """How long its lock still lasts."""
    return datetime.fromisoformat(bucket.objects[row.package][0].until) - timezone.now()


def end_lock(bucket: Liar, row: Recording, ends_in: timedelta) -> None:
    """As if the lock had been made so long ago, and been seen then."""
    until = timezone.now() + ends_in
    bucket.objects[row.package][0].until = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    BucketLock.objects.filter(pk=row.pk).update(until=until, due_at=timezone.now())


def held(bucket: Liar, package: str) -> bool:
    return bucket.objects[package][0].held


def test_a_hold_counts_at_once_and_reaches_a_bucket_that_was_away(
    archive: Archive, bucket: Liar, sealed: Arrive, ann: User
) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    bucket.lies = {"unavailable"}
    one, other = make_matter(), make_matter("A complaint")
    first, second = (deeds.hold(matter.pk, row, by=ann) for matter in (one, other))
    with pytest.raises(KeyHeldError):
        recording_keys().destroy_key(row.pk)
    work()
    assert out_of_line().not_held == {row.pk}
    assert "tried again later" in out_of_line().problems[row.pk]
    figures = {one.name: one for one in gauges()}
    assert figures["bucket_holds_out_of_line"].values["missing"] == 1
    bucket.lies, bucket.asked = set(), []
    assert codes() == [Code.NOT_HELD]
    bucket.asked = []
    work()
    assert bucket.asked == [], "what failed is not tried again at once"
    BucketLock.objects.update(due_at=timezone.now())
    work()
    assert (held(bucket, row.package), held_in_bucket(row.pk), codes(), out_of_line().problems) == (True, True, [], {})
    deeds.release(one.pk, first.pk, "settled", by=ann)
    work()
    assert held(bucket, row.package), "another matter still holds it"
    deeds.end_matter(other.pk, "answered", by=ann)
    assert codes() == [Code.STILL_HELD]
    assert "lifted" in archive.run("audit", "--repair").stdout
    assert (held(bucket, row.package), held_in_bucket(row.pk), second.matter) == (False, False, other)
    assert codes() == []


def test_what_is_sealed_later_is_held_whoever_made_it(bucket: Liar, arrive: Arrive, sealed: Arrive, ann: User) -> None:
    student = make_student()
    deeds.hold(make_matter().pk, student, by=ann)
    waiting = arrive(seconds=1)
    make_filing(waiting.id, make_meeting(student), confirmed=False)
    work()
    assert out_of_line() == bucket_locks.OutOfLine(), "what is not sealed is not in the bucket"
    from archive.sealing.seal import seal  # noqa: PLC0415 - the name of a fixture

    row = seal(waiting.id)
    outside = brought(ann, sound("FLAC"))
    make_hold(make_matter("A complaint"), outside=outside)
    other = Recording.objects.get(pk=sealed(seconds=1).id)
    assert out_of_line().not_held == {row.pk, outside.pk}
    work()
    assert [held(bucket, name) for name in (row.package, outside_package(outside.pk), other.package)] == [
        True,
        True,
        False,
    ]
    assert out_of_line() == bucket_locks.OutOfLine()


def test_a_legal_hold_that_the_database_never_knew_is_told_and_stays(bucket: Liar, sealed: Arrive, ann: User) -> None:
    """The database may be older than the bucket, after a restore."""
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    bucket.objects[row.package][0].held = True
    for _ in range(2):
        work()
    assert held(bucket, row.package)
    assert codes() == [Code.UNKNOWN_HOLD]
    assert held_in_bucket(row.pk), "it stands against a destruction"
    matter = make_matter()
    deeds.hold(matter.pk, row, by=ann)
    deeds.end_matter(matter.pk, "it was ours", by=ann)
    work()
    assert (held(bucket, row.package), codes()) == (False, [])


@pytest.mark.parametrize("lie", ["holds nothing", "never lifts"])
def test_a_hold_counts_as_set_or_lifted_when_the_bucket_shows_it(
    bucket: Liar, sealed: Arrive, ann: User, lie: str
) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    matter = make_matter()
    deeds.hold(matter.pk, row, by=ann)
    if lie == "never lifts":
        work()
        deeds.end_matter(matter.pk, "settled", by=ann)
    bucket.lies = {lie}
    work()
    assert "that is not so" in out_of_line().problems[row.pk]
    assert codes() == [Code.NOT_HELD if lie == "holds nothing" else Code.STILL_HELD]


def test_a_run_does_a_batch_goes_on_where_it_was_and_ends_where_the_bucket_is_away(
    bucket: Liar, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Recording.objects.get(pk=sealed(seconds=1).id) for _ in range(2)]
    make_hold(make_matter(), recording=rows[1])
    monkeypatch.setattr(bucket_locks, "BATCH", 1)
    assert out_of_line().unseen == 2
    work()
    assert list(BucketLock.objects.values_list("pk", flat=True)) == [rows[1].pk], "holds come first"
    work()
    assert out_of_line() == bucket_locks.OutOfLine()
    bucket.asked = []
    work()
    assert bucket.asked == [], "all of it was seen lately"
    BucketLock.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    bucket.lies = {"unavailable"}
    monkeypatch.setattr(bucket_locks, "GIVE_UP", 1)
    with pytest.raises(StorageError):
        work()
    del bucket.objects[rows[0].package]
    bucket.lies = set()
    BucketLock.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(bucket_locks, "BATCH", 500)
    work()
    assert out_of_line().problems == {rows[0].pk: "its package is not in the bucket"}


@pytest.mark.parametrize("kind", ["bucket", "strict"])
def test_a_lock_is_renewed_before_it_ends_as_long_as_nobody_decided(
    sealed: Arrive, kind: str, request: pytest.FixtureRequest
) -> None:
    liar: Liar = request.getfixturevalue(kind)
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    before = ends(liar, row)
    work()
    liar.asked = []
    work()
    assert (liar.asked, ends(liar, row) <= before) == ([], True), "it is far from its end"
    end_lock(liar, row, timedelta(hours=3))
    liar.lies = {"unavailable"}
    work()
    assert "tried again later" in out_of_line().problems[row.pk]
    liar.lies = set()
    BucketLock.objects.update(due_at=timezone.now())
    work()
    assert timedelta(days=1, hours=23) < ends(liar, row) <= timedelta(days=2)
    assert liar.objects[row.package][0].mode == ("GOVERNANCE" if kind == "bucket" else "COMPLIANCE")
    assert out_of_line() == bucket_locks.OutOfLine()


def test_a_lock_that_ended_is_told_until_it_is_renewed(archive: Archive, bucket: Liar, sealed: Arrive) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    work()
    end_lock(bucket, row, timedelta(hours=-1))
    assert (out_of_line().ended, codes()) == ({row.pk}, [Code.LOCK_ENDED])
    assert {one.name: one.value for one in gauges()}["bucket_locks_ended"] == 1
    assert "renewed" in archive.run("audit", "--repair").stdout
    assert ends(bucket, row) > timedelta(days=1)
    assert (codes(), {one.name: one.value for one in gauges()}["bucket_locks_ended"]) == ([], 0)


def test_a_repair_that_did_nothing_in_the_bucket_does_not_say_that_it_did(
    bucket: Liar, sealed: Arrive, ann: User
) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    matter = make_matter()
    hold = deeds.hold(matter.pk, row, by=ann)
    (found,) = audit()
    kept = bucket.objects.pop(row.package)
    assert repair(found, ARCHIVE) == "its package is not in the bucket"
    bucket.objects[row.package] = kept
    deeds.release(matter.pk, hold.pk, "settled", by=ann)
    assert "nothing was done in the bucket" in repair(found, ARCHIVE)
    unknown = replace(found, recording=new_recording_id())
    assert "nothing was done in the bucket" in repair(unknown, ARCHIVE)


def test_a_bucket_that_renews_in_words_only_is_told(bucket: Liar, sealed: Arrive) -> None:
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    work()
    end_lock(bucket, row, timedelta(hours=3))
    bucket.lies = {"renews nothing"}
    work()
    assert "otherwise than asked for" in out_of_line().problems[row.pk]


def test_where_nothing_is_destroyed_early_a_lock_may_end_once_the_period_is_over_and_no_hold_is_left(
    strict: Liar, sealed: Arrive
) -> None:
    scene = make_scene(sealed(seconds=1).id)
    row = scene.row
    work()
    end_lock(strict, row, timedelta(hours=3))
    work()
    assert ends(strict, row) < timedelta(hours=4), "the district may destroy it, so its lock is let end"
    Recording.objects.update(sealed_at=timezone.now() - timedelta(days=99))
    with pytest.raises(DeedError, match="locked"):
        scene.propose()
    end_lock(strict, row, timedelta(hours=-1))
    work()
    assert out_of_line() == bucket_locks.OutOfLine(), "that is no fault"
    hold = make_hold(make_matter(), recording=row)
    work()
    assert (held(strict, row.package), ends(strict, row) > timedelta(days=1)) == (True, True)
    deeds.release(hold.matter_id, hold.pk, "settled", by=scene.ann)
    work()
    end_lock(strict, row, timedelta(hours=-1))
    work()
    assert scene.propose().pk


def test_a_mode_that_was_made_stronger_holds_for_what_was_kept_before(
    archive: Archive, bucket: Liar, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings and docs say that nobody lets go; whoever may bypass governance could for years."""
    row = Recording.objects.get(pk=sealed(seconds=1).id)
    work()
    choose(monkeypatch, Store(engine="s3", s3=on_liar(bucket, tmp_path, mode="compliance", **NO_DESTRUCTION)))
    BucketLock.objects.update(due_at=timezone.now())
    before = ends(bucket, row)
    work()
    assert bucket.objects[row.package][0].mode == "COMPLIANCE"
    assert abs(ends(bucket, row) - before) < timedelta(minutes=5), "a stronger lock is not a longer one"
    assert out_of_line() == bucket_locks.OutOfLine()


def test_a_mode_that_was_made_weaker_lets_nothing_go_that_was_kept_before(
    strict: Liar, sealed: Arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people would decide, the key be gone, and the bucket refuse for years: nobody can propose it before."""
    scene = make_scene(sealed(seconds=1).id)
    work()
    choose(monkeypatch, Store(engine="s3", s3=on_liar(strict, tmp_path)))
    with pytest.raises(DeedError, match="locked"):
        scene.propose()
    # nor is such a lock made longer by a whole period, which nobody could take back
    end_lock(strict, scene.row, timedelta(hours=3))
    work()
    assert ends(strict, scene.row) < timedelta(hours=4)
    end_lock(strict, scene.row, timedelta(hours=-1))
    work()
    assert scene.propose().pk
