"""`plainsight-archive web`: several workers on one SQLite database take recordings in at once, and stay in step."""

from __future__ import annotations

import os
import signal
import threading
from functools import partial
from pathlib import Path

import pytest
import requests

from archive.custody.log import check
from archive.recordings.arrival_log import log_bytes
from archive.recordings.models import ArrivalLine, IncomingSegment, Recording
from archive.recordings.stored_ledger import ledger_lines
from archive.sealing.seal import seal
from tests.support.archives import Archive, batches
from tests.support.spools import Recording as Made
from tests.support.spools import make_recording
from tests.support.waiting import until


def push(url: str, made: Made, segments: int, problems: list[str]) -> None:
    """Send everything from the start, as a courier that lost its memory would; never skip, whatever others do."""
    with requests.Session() as session:
        base = f"{url}/api/1/recordings/{made.id}"
        for kind, data in (("header", made.header_line), ("key", made.key)):
            answer = session.put(f"{base}/{kind}", data=data, timeout=60)
            if answer.status_code not in {200, 201}:
                problems.append(f"{kind}: {answer.status_code} {answer.text[:300]}")
        for _, body in batches(made, segments):
            answer = session.post(f"{base}/lines", data=body, timeout=60)
            if answer.status_code != 200:
                problems.append(f"lines: {answer.status_code} {answer.text[:300]}")


def test_two_couriers_sending_the_same_recording_at_once_make_one(archive: Archive, tmp_path: Path) -> None:
    made = make_recording(tmp_path / "spool", archive.keys, seconds=40, segment_frames=2000)
    problems: list[str] = []
    with archive.serving(workers=2) as url:
        pushers = [
            threading.Thread(target=push, args=(url, made, size, problems), name=f"push-{size}") for size in (1, 3)
        ]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join(120)
        state = requests.get(f"{url}/api/1/recordings/{made.id}", timeout=10).json()
    assert problems == []
    assert (state["state"], state["next_line"]) == ("closed", len(made.lines))
    row = Recording.objects.get()
    assert b"".join(ledger_lines(row)) == made.ledger
    assert IncomingSegment.objects.filter(verdict="ok").count() == 40
    assert [bytes(line).count(b"\n") for line in ArrivalLine.objects.values_list("line", flat=True)]
    assert log_bytes(row).count(b'"what":"header"') == 1
    assert check() is None
    assert seal(made.id).state == "sealed"


def test_different_recordings_at_once_all_arrive(archive: Archive, tmp_path: Path) -> None:
    made = [make_recording(tmp_path / str(n), archive.keys, seconds=10, segment_frames=2000) for n in range(4)]
    problems: list[str] = []
    with archive.serving(workers=2) as url:
        pushers = [threading.Thread(target=push, args=(url, one, 2, problems), name=f"push-{one.id}") for one in made]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join(120)
    assert problems == []
    assert Recording.objects.filter(state="closed").count() == 4
    assert check() is None


def test_workers_that_are_killed_lose_nothing_that_was_answered(archive: Archive, tmp_path: Path) -> None:
    made = make_recording(tmp_path / "spool", archive.keys, seconds=60, segment_frames=2000)
    answered: list[int] = []

    def stubborn(url: str) -> None:
        base = f"{url}/api/1/recordings/{made.id}"
        for _, body in batches(made, 1):
            done = False
            while not done:
                try:
                    answer = requests.post(f"{base}/lines", data=body, timeout=60)
                except requests.RequestException:  # the answer was lost with its worker
                    continue
                assert answer.status_code == 200, answer.text
                answered.append(answer.json()["next_line"])
                done = True

    with archive.serving(workers=2) as url:
        base = f"{url}/api/1/recordings/{made.id}"
        requests.put(f"{base}/header", data=made.header_line, timeout=10)
        requests.put(f"{base}/key", data=made.key, timeout=10)
        pusher = threading.Thread(target=stubborn, args=(url,), name="stubborn")
        pusher.start()

        def enough(goal: int) -> bool:
            return len(answered) >= goal

        for goal in (8, 20, 32, 44):
            until(partial(enough, goal), alive=pusher.is_alive)
            for worker in url.workers():
                os.kill(worker, signal.SIGKILL)
            known = max(answered)
            until(lambda: bool(url.workers()))
            assert Recording.objects.get().next_line >= known
        pusher.join(120)
        assert not pusher.is_alive()
    row = Recording.objects.get()
    assert (row.state, row.next_line) == ("closed", len(made.lines))
    assert check() is None
    assert seal(made.id).outcome == "complete"


def test_refusals_reach_the_box_as_json_over_http(archive: Archive, tmp_path: Path) -> None:
    made = make_recording(tmp_path / "spool", archive.keys, seconds=1)
    with archive.serving(workers=1) as url:
        base = f"{url}/api/1/recordings/{made.id}"
        large = requests.put(f"{base}/header", data=b"x" * 100_000, timeout=10)
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too-large")
        chunked = requests.put(f"{base}/header", data=iter([made.header_line]), timeout=10)
        assert (chunked.status_code, chunked.json()["error"]["field"]) == (400, "Content-Length")
        assert requests.put(f"{base}/header", data=made.header_line, timeout=10).status_code == 201


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--address", "nonsense"], "HOST:PORT"),
        (["--workers", "0"], "at least one"),
    ],
)
def test_bad_arguments_are_named(archive: Archive, arguments: list[str], message: str) -> None:
    assert message in archive.run("web", *arguments, status=2).stderr


def test_without_keys_nothing_is_served(archive: Archive) -> None:
    (archive.home / "keys" / "django.secret").unlink()
    assert "make-keys" in archive.run("web", status=2).stderr
