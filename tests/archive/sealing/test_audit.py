"""Store, keys and database are compared: an older database is noticed, and its rows are made again from packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.errors import StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core.jobs import JOBS, Worker
from archive.custody.models import Entry
from archive.devices.models import Box, BoxKey
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import PackageIndex, Recording
from archive.recordings.playback import open_audio
from archive.rooms.models import Placement
from archive.sealing.audit import Code, _codes, _Present, audit, audit_and_repair
from archive.sealing.seal import seal
from archive.store.base import package_name
from archive.store.current import store
from tests.support.archives import Archive, lose_key
from tests.support.box_requests import add_segment_that_does_not_open, batches, send, send_lines, send_start
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording


def found() -> list[tuple[str, str]]:
    return [(finding.code.value, finding.recording) for finding in audit()]


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A sealed recording."""
    recording = make_recording(tmp_path / "spool", archive.keys, seconds=2)
    send(client, recording)
    seal(recording.id)
    return recording


def package(archive: Archive, made: Made) -> Path:
    path = archive.home / "store" / package_name(made.id)
    path.chmod(0o600)
    return path


def test_what_fits_is_silent(archive: Archive, made: Made) -> None:
    assert found() == []
    assert "fit each other" in archive.run("audit").stdout


@pytest.mark.parametrize(
    ("back", "left"),
    [("packages", True), ("keys", True), ("derivatives", True), ("arrivals", False), ("", False)],
)
def test_whatever_is_back_of_a_destroyed_recording_is_left(back: str, left: bool) -> None:
    recording = "0" * 32
    folders = ("packages", "keys", "arrivals", "derivatives")
    here: list[set[str]] = [{recording} if name == back else set() for name in folders]
    present = _Present(dict.fromkeys(here[0], 9), *here[1:])
    assert list(_codes(recording, ("sealed", 9, True, timezone.now()), present)) == [Code.LEFT] * left


@pytest.mark.parametrize("read_before", ["sizes", "recordings"])
def test_what_is_sealed_while_the_names_are_read_is_no_finding(
    archive: Archive, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_before: str
) -> None:
    """Packages and keys are listed before the rows are: a recording that comes in between is in one list only."""
    listed, reader = (store(), "sizes") if read_before == "sizes" else (recording_keys(), "recordings")
    whole = getattr(type(listed), reader)

    def then_one_is_sealed(self: object, *place: str) -> Iterator[str]:
        names = list(whole(self, *place))
        monkeypatch.undo()
        late = make_recording(tmp_path / "spool", archive.keys, seconds=2)
        send(client, late)
        seal(late.id)
        return iter(names)

    monkeypatch.setattr(type(listed), reader, then_one_is_sealed)
    assert found() == []
    assert Recording.objects.filter(state="sealed").count() == 1


def shapes(archive: Archive, client: Any, folder: Path) -> list[Made]:
    """Sealed recordings of every outcome: complete, interrupted with a tail, and incomplete with a bad segment."""
    complete = make_recording(folder / "a", archive.keys, seconds=2)
    interrupted = make_recording(folder / "b", archive.keys, seconds=2, reason="interrupted", tail=2)
    incomplete = make_recording(folder / "c", archive.keys, seconds=1, reason=None)
    add_segment_that_does_not_open(incomplete)
    send(client, complete)
    send(client, interrupted)
    send_start(client, incomplete)
    assert send_lines(client, incomplete, batches(incomplete)[0][1]).status_code == 200
    for made in (complete, interrupted, incomplete):
        seal(made.id, incomplete=made is incomplete)
    return [complete, interrupted, incomplete]


def test_a_row_that_was_lost_is_made_again_exactly_as_it_was(archive: Archive, client: Any, tmp_path: Path) -> None:
    all_made = shapes(archive, client, tmp_path)
    before = list(Recording.objects.order_by("pk").values())
    indexes = list(PackageIndex.objects.order_by("pk").values())
    Recording.objects.all().delete()
    assert sorted(found()) == sorted((Code.NO_ROW.value, made.id) for made in all_made)
    audit_and_repair(StopSignal())
    assert found() == []
    assert list(Recording.objects.order_by("pk").values()) == before
    assert list(PackageIndex.objects.order_by("pk").values()) == indexes
    assert Entry.objects.filter(code="rebuild").count() == 3


def test_a_row_is_made_again_of_a_recording_that_ended_before_its_first_line(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1, reason=None)
    send_start(client, made)
    seal(made.id, incomplete=True)
    before = list(Recording.objects.values())
    Recording.objects.all().delete()
    audit_and_repair(StopSignal())
    assert found() == []
    assert list(Recording.objects.values()) == before


def test_an_older_database_is_noticed_and_mended(archive: Archive, client: Any, tmp_path: Path) -> None:
    """What a restore of yesterday's backup does: the store is a day ahead."""
    made = make_recording(tmp_path / "spool", archive.keys, seconds=2)
    send_start(client, made)
    backup = tmp_path / "backup.sqlite3"
    archive.save_database(backup)
    for _, body in batches(made):
        send_lines(client, made, body)
    seal(made.id)
    before = Recording.objects.values().get()
    archive.put_database_back(backup)
    assert Recording.objects.get().state == "receiving"
    assert found() == [("row-not-sealed", made.id)]
    done = archive.run("audit", status=1)
    assert "audit --repair" in done.stdout
    assert Recording.objects.get().state == "receiving", "looking changes nothing"
    archive.run("audit", "--repair")
    assert Recording.objects.values().get() == before
    assert client.get(f"/api/1/recordings/{made.id}/receipt").status_code == 200
    assert open_audio(Recording.objects.get()).frames == made.frames


def test_sealing_by_hand_looks_at_the_package_before_it_changes_the_row(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    made = make_recording(tmp_path / "spool", archive.keys, seconds=2)
    send(client, made)
    seal(made.id)
    Recording.objects.all().delete()
    send_start(client, made)
    before = Recording.objects.values().get()
    path = package(archive, made)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(StorageError, match="nothing was changed"):
        seal(made.id, incomplete=True)
    assert Recording.objects.values().get() == before
    path.write_bytes(whole)
    assert seal(made.id, incomplete=True).outcome == "complete", "the package tells, not who asks"


def test_a_package_whose_box_nobody_knows_is_not_believed(archive: Archive, made: Made) -> None:
    Recording.objects.all().delete()
    for model in (Placement, BoxKey, Box):
        model.objects.all().delete()
    done = json.loads(archive.run("audit", "--repair", "--json", status=1).stdout)
    assert [(one["code"], one["repaired"]) for one in done] == [("no-row", False)]
    assert archive.keys.box in done[0]["message"]
    assert not Recording.objects.exists()


def test_a_damaged_package_makes_no_row(archive: Archive, made: Made) -> None:
    Recording.objects.all().delete()
    path = package(archive, made)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    audit_and_repair(StopSignal())
    assert not Recording.objects.exists()


def test_each_thing_that_is_gone_or_too_much_is_named(archive: Archive, made: Made, client: Any) -> None:
    path = package(archive, made)
    whole = path.read_bytes()
    path.write_bytes(whole + b"x")
    assert found() == [("other-size", made.id)]
    path.unlink()
    assert found() == [("no-package", made.id)]
    path.write_bytes(whole)
    lose_key(made.id)
    assert found() == [("no-key", made.id)]
    recording_keys().put_once(made.id, made.key)
    stranger = "f" * 32
    recording_keys().put_once(stranger, b"k")
    store().put_once(f"incoming/{stranger}/segments/00000000.age", b"s")
    store().put_once("packages/notes.txt", b"n")
    assert sorted(found()) == [
        ("misplaced", "packages/notes.txt"),
        ("unknown-arrival", stranger),
        ("unknown-key", stranger),
    ]


def test_the_worker_tells_at_its_start(archive: Archive, made: Made, caplog: pytest.LogCaptureFixture) -> None:
    package(archive, made).unlink()
    (job,) = [one for one in JOBS if one.name == "auditing"]
    Worker([job]).once()
    assert made.id in caplog.text
    assert "restore it from a copy" in caplog.text


def test_a_slow_audit_holds_up_no_seal() -> None:
    lanes = {job.name: job.lane for job in JOBS}
    assert [name for name, lane in lanes.items() if lane == lanes["auditing"]] == ["auditing"]
