"""`plainsight-archive web`: several workers on one SQLite database take recordings in at once, and stay in step."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import requests

from appliance.contract.outside_package import PIECE
from appliance.contract.request_signature import sign
from archive.access.deeds import Deed
from archive.custody.check import check
from archive.recordings.arrival_log import log_bytes
from archive.recordings.models import Recording, StoredArrival
from archive.recordings.stored_ledger import ledger_lines
from archive.records.outside_recordings import take_in_deeds
from archive.sealing.seal import seal
from tests.archive.page_fixtures import make_user, sign_in_over_http
from tests.archive.records.outside_recordings.files import SAID, sound
from tests.support.archives import Archive
from tests.support.box_requests import BoxAuth, batches
from tests.support.certificates import Authority
from tests.support.spools import Keys, make_recording
from tests.support.spools import Recording as Made
from tests.support.waiting import until


def push(url: str, keys: Keys, made: Made, segments: int, problems: list[str]) -> None:
    """Send everything from the start, as a courier that lost its memory would; never skip, whatever others do."""
    with requests.Session() as session:
        session.auth = BoxAuth(keys)
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
            threading.Thread(target=push, args=(url, archive.keys, made, size, problems), name=f"push-{size}")
            for size in (1, 3)
        ]
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join(120)
        state = requests.get(f"{url}/api/1/recordings/{made.id}", auth=BoxAuth(archive.keys), timeout=60).json()
    assert problems == []
    assert (state["state"], state["next_line"]) == ("closed", len(made.lines))
    row = Recording.objects.get()
    assert b"".join(ledger_lines(row)) == made.ledger
    assert not StoredArrival.objects.exclude(verdicts={}).exists()
    assert [bytes(line).count(b"\n") for line in StoredArrival.objects.values_list("line", flat=True)]
    assert log_bytes(row).count(b'"what":"header"') == 1
    assert check() is None
    assert seal(made.id).state == "sealed"


def test_different_recordings_at_once_all_arrive(archive: Archive, tmp_path: Path) -> None:
    made = [make_recording(tmp_path / str(n), archive.keys, seconds=10, segment_frames=2000) for n in range(4)]
    problems: list[str] = []
    with archive.serving(workers=2) as url:
        pushers = [
            threading.Thread(target=push, args=(url, archive.keys, one, 2, problems), name=f"push-{one.id}")
            for one in made
        ]
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
    place: list[str] = []
    over = threading.Event()
    auth = BoxAuth(archive.keys)

    def stubborn() -> None:
        for _, body in batches(made, 1):
            while not over.is_set():
                try:
                    answer = requests.post(
                        f"{place[-1]}/api/1/recordings/{made.id}/lines", data=body, auth=auth, timeout=60
                    )
                except requests.RequestException:  # the answer was lost with its worker
                    over.wait(0.02)
                    continue
                assert answer.status_code == 200, answer.text
                answered.append(answer.json()["next_line"])
                break

    def enough(goal: int) -> bool:
        return len(answered) >= goal

    pusher = threading.Thread(target=stubborn, name="stubborn")
    try:
        with archive.serving(workers=4) as url:
            place.append(url)
            base = f"{url}/api/1/recordings/{made.id}"
            requests.put(f"{base}/header", data=made.header_line, auth=auth, timeout=60)
            requests.put(f"{base}/key", data=made.key, auth=auth, timeout=60)
            pusher.start()
            for goal in (8, 16, 24, 32):
                until(partial(enough, goal), alive=pusher.is_alive)
                # the oldest, so that each is killed once
                os.kill(url.workers()[0], signal.SIGKILL)
                assert Recording.objects.get().next_line >= max(answered)
            until(partial(enough, 40), alive=pusher.is_alive)
            for process in (url.pid, *url.workers()):
                os.kill(process, signal.SIGKILL)
            assert Recording.objects.get().next_line >= max(answered)
        with archive.serving(workers=2) as url:
            place.append(url)
            pusher.join(120)
    finally:
        over.set()
    assert not pusher.is_alive()
    row = Recording.objects.get()
    assert (row.state, row.next_line) == ("closed", len(made.lines))
    assert check() is None
    assert seal(made.id).outcome == "complete"


def test_what_people_send_reaches_the_archive_over_http(archive: Archive) -> None:
    """Through the edge: tests with Django's own client go around it."""
    user = make_user("carol", Deed.FILE, Deed.CORRECT, Deed.TEMPLATES)
    row, sample = take_in_deeds.begin(SAID, by=user), sound("WAV", 160)
    size = len(sample)
    with archive.serving(workers=1) as url, requests.Session() as browser:
        sign_in_over_http(browser, url, user)
        address = f"{url}/outside-recordings/{row.pk}/pieces.json?at=0&size={size}"
        octets = {"Content-Type": "application/octet-stream"}
        piece = browser.post(address, data=sample[:PIECE], headers=octets, timeout=60)
        assert (piece.status_code, piece.json()["received"]) == (200, PIECE)
        for length, status, told in ((3, 422, "has no column"), (11, 422, "larger than 10 MB"), (17, 413, "at most")):
            roster = {"file": ("roster.csv", b"id,name\n" + b"1,x\n" * (length << 18), "text/csv")}
            answer = browser.post(f"{url}/rosters/", data={"once": "a" * 32}, files=roster, timeout=60)
            assert (answer.status_code, told in answer.text) == (status, True), (length, answer.text[-3000:])
        long = browser.post(f"{url}/letters/texts/new/", data={"text": "\U0001f399" * 20_000}, timeout=60)
        assert long.status_code == 422


def test_refusals_reach_the_box_as_json_over_http(archive: Archive, tmp_path: Path) -> None:
    made = make_recording(tmp_path / "spool", archive.keys, seconds=1)
    with archive.serving(workers=1) as url:
        base = f"{url}/api/1/recordings/{made.id}"
        auth = BoxAuth(archive.keys)
        large = requests.put(f"{base}/header", data=b"x" * 100_000, auth=auth, timeout=60)
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too-large")
        path = f"/api/1/recordings/{made.id}/header"
        signed = sign(archive.keys.courier, archive.keys.box, auth.nonce, "PUT", path, body=made.header_line)
        # as a proxy passes it on: no length is announced
        chunked = requests.put(f"{base}/header", data=iter([made.header_line]), headers=signed, timeout=60)
        assert chunked.status_code == 201
        assert requests.put(f"{base}/header", data=made.header_line, auth=auth, timeout=60).status_code == 200
        unsigned = requests.put(f"{base}/header", data=made.header_line, timeout=60)
        assert (unsigned.status_code, unsigned.json()["error"]["code"]) == (401, "unsigned")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--address", "nonsense"], "HOST:PORT"),
        (["--address", "127.0.0.1:99999"], "HOST:PORT"),
        (["--address", "127.0.0.1:0"], "HOST:PORT"),
        (["--address", "no.such.host.invalid:8443"], "cannot listen at"),
        (["--workers", "0"], "at least one"),
    ],
)
def test_bad_arguments_are_named(archive: Archive, arguments: list[str], message: str) -> None:
    assert message in archive.run("web", *arguments, status=2).stderr


def test_an_address_that_is_taken_is_named_at_once(archive: Archive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in archive.run("web", f"--address=127.0.0.1:{port}", status=2).stderr


def test_searches_for_cycles_leave_out_what_was_loaded_at_the_start(archive: Archive) -> None:
    """Pages that go through all of it again, once in a while, took three times as long as the others."""
    look = (
        "import archive.wsgi, archive.asgi, gc, sys; "
        "print(gc.get_freeze_count(), 'archive.records.meetings.opening_views' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", look],
        env=archive.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    left_out, loaded = told.stdout.split()
    assert loaded == "True"
    assert int(left_out) > 50_000


def test_no_other_socket_is_opened(archive: Archive) -> None:
    with archive.serving(workers=1) as url:
        for process in (url.pid, *url.workers()):
            open_files = set[str]()
            for one in Path(f"/proc/{process}/fd").iterdir():
                # what it closed since the folder was read
                with suppress(FileNotFoundError):
                    open_files.add(str(one.readlink()))
            table = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
            assert not [row for row in table if len(row) > 7 and f"socket:[{row[6]}]" in open_files]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('certificate = "/nowhere.pem"', "needs its key"),
        ('certificate = "/nowhere.pem"\nkey = "/nowhere.key"', "cannot read /nowhere.pem"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(archive: Archive, settings: str, message: str) -> None:
    with (archive.home / "archive.toml").open("a") as file:
        file.write(f"[web]\n{settings}\n")
    assert message in archive.spawn("web", status=2).stderr


def test_without_keys_nothing_is_served(archive: Archive) -> None:
    (archive.home / "keys" / "django.secret").unlink()
    assert "make-keys" in archive.run("web", status=2).stderr


def test_tls_is_spoken_with_the_given_certificate(archive: Archive, tmp_path: Path) -> None:
    files = Authority.make().server(tmp_path)
    with (archive.home / "archive.toml").open("a") as file:
        file.write(f'[web]\ncertificate = "{files.certificate}"\nkey = "{files.key}"\n')
    with archive.serving(workers=1, ca=files.ca) as url:
        assert requests.get(f"{url}/sign-in/", timeout=60, verify=str(files.ca)).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{url}/sign-in/", timeout=60)
