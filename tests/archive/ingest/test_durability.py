"""The order of file, fsync and commit: a request that is killed anywhere leaves the old state or the new one."""

from __future__ import annotations

import os
import signal
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from appliance.contract.stop_signal import StopSignal
from archive.ingest import views
from archive.ingest.incoming import Incoming
from archive.recordings.arrival_log import log_bytes
from archive.recordings.models import Recording, StoredArrival, TailSegment
from archive.recordings.stored_ledger import ledger_lines
from archive.sealing.seal import seal
from archive.sealing.sweeping import sweep
from archive.store import local
from archive.store.current import store
from archive.store.local import LocalStore
from tests.support.archives import Archive
from tests.support.box_requests import batches, send_lines, send_start
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording

LONG_AGO = (1, 1)
"""Access and modification time of a file that was left over."""


def the_rest(made: Made) -> bytes:
    """All but the first two seconds."""
    return b"".join(body for _, body in batches(made, 2)[1:])


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    """A recording of four seconds and two of unverified tail, of which the first two seconds have arrived."""
    recording = make_recording(tmp_path / "spool", archive.keys, seconds=4, reason="interrupted", tail=2)
    send_start(client, recording)
    assert send_lines(client, recording, batches(recording, 2)[0][1]).status_code == 200
    return recording


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def half(path: Path, pieces: list[bytes], **_: object) -> None:
    whole = b"".join(pieces)
    path.write_bytes(whole[: len(whole) // 2])
    die()


Step = Callable[[pytest.MonkeyPatch], None]
BEFORE: dict[str, Step] = {
    "before there is a file": lambda patch: patch.setattr(local, "write_new", die),
    "with half of the file": lambda patch: patch.setattr(local, "write_new", half),
    "before the file is durable": lambda patch: patch.setattr(os, "fsync", die),
    "before its name is durable": lambda patch: patch.setattr(local, "sync_folder", die),
    "before the transaction": lambda patch: patch.setattr(transaction, "atomic", die),
    "before the arrival is entered": lambda patch: patch.setattr(StoredArrival, "save", die),
    "before it is confirmed": lambda patch: patch.setattr(Incoming, "confirm", die),
    "before the commit": lambda patch: patch.setattr(BaseDatabaseWrapper, "_commit", die),
}


def after_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(views, "new_nonce", die)


def killed(step: Step, request: Callable[[], Any]) -> None:
    """Send `request` in a process of its own that is killed at `step`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            step(pytest.MonkeyPatch())
            request()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, "it was killed where it should be"


def state() -> tuple[int, int, int, int]:
    """Lines, arrivals, arrivals of the tail, and bytes of the objects that are named: all of them must be there."""
    row = Recording.objects.get()
    named = [*row.arrivals.values_list("stored", flat=True), *row.tail.values_list("stored", flat=True)]
    size = sum(store().size(name) for name in named if name)
    assert len(ledger_lines(row)) == row.next_line
    assert log_bytes(row).count(b"\n") == row.next_arrival
    return row.next_line, row.next_arrival, TailSegment.objects.exclude(arrived_at=None).count(), size


def finish(archive: Archive, client: Any, made: Made) -> None:
    """Send all of it again, as a box does that got no answer; what is sealed must be what the box has."""
    for body in (batches(made, 2)[0][1], the_rest(made)):
        assert send_lines(client, made, body).status_code == 200
    for number, data in made.tail.items():
        answer = client.put(f"/api/1/recordings/{made.id}/tail/{number}", data, "text/plain")
        assert answer.status_code in {200, 201}
    folder = archive.home / "store" / "incoming" / made.id
    for path in folder.iterdir():
        os.utime(path, LONG_AGO)
    sweep(StopSignal())
    assert len(list(folder.iterdir())) == 4, "two batches and two segments of the tail; what nothing names is gone"
    row = seal(made.id)
    with zipfile.ZipFile(archive.home / "store" / row.package) as package:
        assert package.read(f"{made.id}/data/ledger.tsv") == made.ledger
        for number, data in enumerate(made.segments):
            assert package.read(f"{made.id}/data/segments/{number:08d}.age") == data
        for number, data in made.tail.items():
            assert package.read(f"{made.id}/data/tail/{number:08d}.age") == data


@pytest.mark.parametrize("when", BEFORE)
def test_a_batch_that_is_killed_before_the_commit_never_arrived(
    archive: Archive, client: Any, made: Made, when: str
) -> None:
    before = state()
    killed(BEFORE[when], lambda: send_lines(client, made, the_rest(made)))
    assert state() == before
    finish(archive, client, made)


def test_a_batch_that_is_killed_after_the_commit_has_arrived(archive: Archive, client: Any, made: Made) -> None:
    before = state()
    killed(after_commit, lambda: send_lines(client, made, the_rest(made)))
    lines, arrivals, tail, size = state()
    assert (lines, arrivals, tail) == (len(made.lines), before[1] + 1, 0)
    assert size == before[3] + sum(len(segment) for segment in made.segments[2:])
    finish(archive, client, made)


@pytest.mark.parametrize("when", [*BEFORE, "after the commit"])
def test_a_tail_segment_that_is_killed_arrived_with_the_commit(
    archive: Archive, client: Any, made: Made, when: str
) -> None:
    assert send_lines(client, made, the_rest(made)).status_code == 200
    before = state()
    step = BEFORE.get(when, after_commit)
    killed(step, lambda: client.put(f"/api/1/recordings/{made.id}/tail/4", made.tail[4], "text/plain"))
    assert (state() != before) == (when == "after the commit")
    assert TailSegment.objects.exclude(arrived_at=None).count() == (when == "after the commit")
    finish(archive, client, made)


def test_a_request_makes_one_file_durable_with_its_name_and_then_commits(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    fsync, commit = os.fsync, BaseDatabaseWrapper._commit  # type: ignore[attr-defined]  # Django's own, not in its stubs

    def watched_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        did.append("folder" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} bytes")
        fsync(descriptor)

    def watched_commit(database: BaseDatabaseWrapper) -> Any:
        did.append("commit")
        return commit(database)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", watched_commit)
    assert send_lines(client, made, the_rest(made)).status_code == 200
    assert did == [f"{len(made.segments[2]) + len(made.segments[3])} bytes", "folder", "commit"]


def when_stored(monkeypatch: pytest.MonkeyPatch, deed: Callable[[str], Any]) -> None:
    """Do `deed` with the object's name once a request has made it durable, before it is entered."""
    add = LocalStore.add_incoming

    def added(*arguments: Any) -> str:
        name = add(*arguments)
        monkeypatch.setattr(LocalStore, "add_incoming", add)
        deed(name)
        return name

    monkeypatch.setattr(LocalStore, "add_incoming", added)


@pytest.mark.parametrize("segments", [1, 2, 10])
def test_of_two_requests_with_the_same_lines_at_once_one_is_entered(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch, segments: int
) -> None:
    def overtake(_name: str) -> None:
        for _, body in batches(made, segments):
            assert send_lines(client, made, body).status_code == 200

    when_stored(monkeypatch, overtake)
    assert send_lines(client, made, the_rest(made)).json()["next_line"] == len(made.lines)
    assert state()[0] == len(made.lines)
    named = set(StoredArrival.objects.exclude(stored="").values_list("stored", flat=True))
    assert set(store().names("incoming")) == named, "the slower one left nothing"


def test_a_request_that_is_overtaken_by_part_of_its_lines_adds_the_rest(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    when_stored(monkeypatch, lambda _: send_lines(client, made, batches(made, 1)[2][1]))
    assert send_lines(client, made, the_rest(made)).json()["next_line"] == len(made.lines)
    assert b"".join(ledger_lines(Recording.objects.get())) == made.ledger
    assert len(list(store().names("incoming"))) == 3


def test_a_request_that_is_overtaken_by_the_seal_is_refused_and_leaves_nothing(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    when_stored(monkeypatch, lambda _: seal(made.id, incomplete=True))
    answer = send_lines(client, made, the_rest(made))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "bad-order")
    assert list(store().names("incoming")) == []


@pytest.mark.parametrize("what", ["lines", "tail"])
def test_what_a_sweep_took_before_it_was_entered_is_not_entered(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def swept(name: str) -> None:
        os.utime(store().root / name, LONG_AGO)  # type: ignore[attr-defined]  # the tests' store is a local one
        sweep(StopSignal())

    if what == "tail":
        assert send_lines(client, made, the_rest(made)).status_code == 200
    before = state()
    when_stored(monkeypatch, swept)
    if what == "tail":
        answer = client.put(f"/api/1/recordings/{made.id}/tail/4", made.tail[4], "text/plain")
    else:
        answer = send_lines(client, made, the_rest(made))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage")
    assert state() == before
    finish(archive, client, made)
