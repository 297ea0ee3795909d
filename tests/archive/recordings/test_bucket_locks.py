"""Holds reach the bucket as legal holds: whatever becomes of the bucket, nothing of a deed waits for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.configuration import Store
from archive.core.metrics import gauges
from archive.keystore.recording_keys import KeyHeldError, recording_keys
from archive.recordings import bucket_locks
from archive.recordings.bucket_locks import bring_all_in_line, held_in_bucket, out_of_line
from archive.recordings.models import BucketLock, Recording
from archive.records.holds import deeds
from archive.records.outside_recordings.plain_file import outside_package
from archive.sealing.audit import Code, audit
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import make_filing, make_hold, make_matter, make_meeting, make_student
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive
from tests.support.lying_s3 import Liar
from tests.support.s3_stores import choose, on_liar


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.HOLD)


@pytest.fixture
def bucket(archive: Archive, liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liar:
    """The bucket that the archive keeps its packages in."""
    choose(monkeypatch, Store(engine="s3", s3=on_liar(liar, tmp_path)))
    return liar


def work() -> None:
    bring_all_in_line(StopSignal())


def codes() -> list[Code]:
    return [one.code for one in audit()]


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
