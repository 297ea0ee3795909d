"""`plainsight-archive check-custody`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.contract.stop_signal import StopSignal
from archive.accounts.models import User
from archive.core.jobs import JOBS
from archive.custody.check import tell
from archive.custody.heads import FILE, signed_head
from archive.custody.models import Entry, Head
from archive.devices.models import BoxKey
from archive.recordings.models import Recording
from tests.archive.custody.test_log import drop_triggers
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive


def test_an_intact_log_and_its_head(archive: Archive) -> None:
    answer = json.loads(archive.run("check-custody", "--json").stdout)
    assert answer == {
        "entries": Entry.objects.count(),
        "head": Entry.objects.latest("n").digest,
        "intact": True,
        "problem": None,
        "contradictions": [],
        "time_stamps": 0,
        "unproved_time_stamps": [],
    }


def test_a_broken_log_is_an_exit_status(archive: Archive) -> None:
    drop_triggers()
    Entry.objects.update(actor_id="somebody")
    assert "broken at entry 0" in archive.run("check-custody", status=1).stdout


def test_heads_kept_elsewhere_are_held_against_it(archive: Archive, tmp_path: Path) -> None:
    kept = tmp_path / "kept.tsv"
    kept.write_bytes(signed_head())
    archive.run("check-custody", "--against", str(kept))
    kept.write_bytes(signed_head().replace(b'"entries":', b'"entries":9'))
    assert "kept.tsv" in archive.run("check-custody", "--against", str(kept), status=1).stdout
    assert "nowhere" in archive.run("check-custody", "--against", str(tmp_path / "nowhere"), status=2).stderr


def test_a_log_without_a_head_is_told(archive: Archive) -> None:
    Head.objects.all().delete()
    assert "head" in archive.run("check-custody", status=1).stdout


def test_an_emptied_log_is_told(archive: Archive) -> None:
    drop_triggers()
    Entry.objects.all().delete()
    Head.objects.update(n=0, digest="0" * 64, line=b"")
    assert archive.keys.box in archive.run("check-custody", status=1).stdout, "the box's key was never enrolled"
    assert not (archive.home / FILE).exists()


def test_rows_that_no_entry_tells_of_are_told(archive: Archive) -> None:
    BoxKey.objects.create(box_id=archive.keys.box, public_key="ed25519:slipped in")
    User.objects.create_user("mallory", "only for tests 2468")
    answer = json.loads(archive.run("check-custody", "--json", status=1).stdout)
    assert [archive.keys.box in one or "account" in one for one in answer["contradictions"]] == [True, True]


def test_a_database_that_was_not_made_names_the_remedy(archive: Archive) -> None:
    archive.lose_database()
    assert "migrate" in archive.spawn("check-custody", status=2).stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"package_sha256": "f" * 64}, "not the one that was entered"),
        ({"outcome": "interrupted"}, "not the one that was entered"),
        ({"state": "receiving"}, "no longer says so"),
        (None, "no longer says so"),
    ],
)
def test_a_changed_row_of_a_sealed_recording_is_told(
    archive: Archive, sealed: Arrive, change: dict[str, str] | None, told: str
) -> None:
    made = sealed(seconds=1)
    archive.run("check-custody")
    rows = Recording.objects.filter(pk=made.id)
    if change is None:
        rows.delete()
    else:
        rows.update(**change)
    done = archive.run("check-custody", status=1)
    assert told in done.stdout
    assert made.id in done.stdout


def test_a_recording_that_no_box_sent_is_told(archive: Archive, arrive: Arrive) -> None:
    made = arrive(seconds=1)
    archive.run("check-custody")
    row = Recording.objects.get(pk=made.id)
    row.pk = "f" * 32
    row.save(force_insert=True)
    assert "f" * 32 in archive.run("check-custody", status=1).stdout


def test_the_worker_publishes_the_head_and_tells_of_a_broken_log_by_itself(
    archive: Archive, sealed: Arrive, caplog: pytest.LogCaptureFixture
) -> None:
    made = sealed(seconds=1)
    jobs = {job.name: job for job in JOBS}
    for name in ("publishing the custody log's head", "checking the custody log"):
        jobs[name].run(StopSignal())
    assert (archive.home / FILE).read_bytes().count(b"\n") == 1
    assert not caplog.records
    Recording.objects.filter(pk=made.id).update(package_sha256="f" * 64)
    jobs["checking the custody log"].run(StopSignal())
    assert made.id in caplog.text
    drop_triggers()
    Entry.objects.filter(pk=1).update(actor_id="somebody")
    jobs["checking the custody log"].run(StopSignal())
    assert "broken at entry 1" in caplog.text


def test_a_worker_that_is_told_to_stop_compares_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def contradictions() -> list[str]:
        asked.append("")
        return []

    monkeypatch.setattr("archive.custody.check.contradictions", contradictions)
    stop = StopSignal()
    tell(stop)
    stop.set()
    tell(stop)
    assert len(asked) == 1
