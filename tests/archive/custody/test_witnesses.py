"""Heads of the custody log that are kept off this machine: what was told to a witness cannot be taken back here."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from appliance.contract.custody import CustodyHead
from appliance.contract.errors import SettingsError
from appliance.contract.settings_file import load_settings
from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import now, parse_wall, wall
from archive.configuration.file import Configuration
from archive.configuration.services import Custody
from archive.core.jobs import JOBS
from archive.custody import delivery, witnesses
from archive.custody.heads import FILE
from archive.doctor import witnesses as doctor
from tests.support.archives import Archive
from tests.support.waiting import until


@pytest.fixture
def chosen(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> list[Custody]:
    """The settings' witnesses; a test puts its own in place of the last one."""
    found = [Custody()]
    monkeypatch.setattr(witnesses, "configuration", lambda: Configuration(custody=found[-1]))
    return found


@contextmanager
def https_witness(status: int) -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="witness")
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/heads", taken
        server.shutdown()
        thread.join()


def head(archive: Archive, line: bytes) -> CustodyHead:
    return CustodyHead.read(line, archive.keys.archive_signing.public)


def test_each_witness_gets_the_days_head_once_and_it_holds_against_the_log(
    archive: Archive, tmp_path: Path, chosen: list[Custody]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog, https_witness(204) as (url, posted):
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(60)
        chosen.append(Custody(folder=tmp_path, syslog=f"127.0.0.1:{syslog.getsockname()[1]}", url=url))
        witnesses.tell_witnesses(StopSignal())
        witnesses.tell_witnesses(StopSignal())
        message = syslog.recv(65535)
        syslog.setblocking(False)
        with pytest.raises(BlockingIOError):
            syslog.recv(65535)
    kept = (tmp_path / FILE).read_bytes()
    assert posted == [kept]
    assert kept.count(b"\n") == 1
    assert message.startswith(b"<109>1 ")
    assert message.endswith(b" plainsight-archive - custody-head - " + kept.rstrip(b"\n"))
    assert head(archive, kept).entries > 0
    archive.run("check-custody", "--against", str(tmp_path / FILE))
    assert [one.verdict for one in doctor.check(chosen[-1], doctor.look(), parse_wall(now()))] == ["ok"]


def test_a_head_does_not_go_behind_what_a_crash_cut_off(
    archive: Archive, tmp_path: Path, chosen: list[Custody]
) -> None:
    """The share went away within a line: what stands there is taken back by nobody, and the next head still counts."""
    chosen.append(Custody(folder=tmp_path))
    (tmp_path / FILE).write_bytes(b'{"type":"plainsight/custody')
    witnesses.tell_witnesses(StopSignal())
    torn, kept, rest = (tmp_path / FILE).read_bytes().split(b"\n")
    assert (torn, rest) == (b'{"type":"plainsight/custody', b"")
    assert head(archive, kept + b"\n").entries > 0
    archive.run("check-custody", "--against", str(tmp_path / FILE))


def test_a_witness_that_refuses_is_told_and_gets_the_next_head_and_the_others_do_not_wait(
    tmp_path: Path, chosen: list[Custody], caplog: pytest.LogCaptureFixture
) -> None:
    with https_witness(503) as (url, posted):
        chosen.append(Custody(folder=tmp_path, url=url))
        witnesses.tell_witnesses(StopSignal())
        assert "it answered 503" in caplog.text
        witnesses.tell_witnesses(StopSignal())
        assert len(posted) == 2, "it is tried again"
        assert (tmp_path / FILE).read_bytes().count(b"\n") == 1, "the other one has today's"
        [found] = doctor.check(chosen[-1], doctor.look(), parse_wall(now()))
        assert (found.verdict, "custody.url" in found.found) == ("wrong", True)


@pytest.mark.parametrize(
    "broken",
    [
        Custody(folder=Path("/nowhere/witness")),
        Custody(syslog="no-such-host.invalid:514"),
        Custody(url="http://127.0.0.1:9/heads"),
    ],
)
def test_a_witness_that_is_not_there_is_one_line_of_the_log_with_its_setting(
    broken: Custody, chosen: list[Custody], caplog: pytest.LogCaptureFixture
) -> None:
    chosen.append(broken)
    with caplog.at_level(logging.ERROR):
        witnesses.tell_witnesses(StopSignal())
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.message.startswith("custody.")
    assert record.exc_info is None


def test_a_witness_without_a_head_for_two_days_is_told_by_the_doctor(tmp_path: Path, chosen: list[Custody]) -> None:
    chosen.append(Custody(folder=tmp_path))
    witnesses.tell_witnesses(StopSignal())
    moment = parse_wall(now())
    # the last one: it took a head in a year that has not come, and the clock was put back
    for later, verdict in ((timedelta(days=1), "ok"), (timedelta(days=3), "wrong"), (timedelta(days=-365), "wrong")):
        assert [one.verdict for one in doctor.check(chosen[-1], doctor.look(), moment + later)] == [verdict]
    assert [one.verdict for one in doctor.check(Custody(), {}, moment)] == ["warning"]


def test_what_was_told_is_written_anew_if_it_cannot_be_understood(
    archive: Archive, tmp_path: Path, chosen: list[Custody]
) -> None:
    chosen.append(Custody(folder=tmp_path))
    for damage in (b"{", b"[]", b'{"custody.folder": 3}', b'{"x": {"at": "never", "line": ""}}'):
        (archive.home / witnesses.STATE).write_bytes(damage)
        witnesses.tell_witnesses(StopSignal())
        assert doctor.look().keys() == {f"custody.folder {tmp_path}"}


@pytest.mark.parametrize(
    "text", ['syslog = "logs"', 'url = "http://witness.example/heads"', 'url = "ftp://x"', 'foldr = "/mnt"']
)
def test_a_wrong_witness_in_the_settings_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "archive.toml"
    path.write_text(f"[custody]\n{text}\n")
    with pytest.raises(SettingsError, match="custody"):
        load_settings(path, Configuration, "look at it")


def test_the_worker_tells_them_in_a_lane_of_its_own(chosen: list[Custody]) -> None:
    [job] = [job for job in JOBS if "witnesses" in job.name]
    assert job.lane == "witnesses", "one that hangs holds up no seal"


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A share whose server is gone: whoever opens its file for writing waits for a reader that never comes."""
    folder = tmp_path / "share"
    folder.mkdir()
    os.mkfifo(folder / FILE)
    return folder


def children() -> list[str]:
    """Processes that deliver for this one, as long as they live."""
    own = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
    return [pid for pid in own if "delivery_process" in Path(f"/proc/{pid}/cmdline").read_text()]


def test_a_share_that_hangs_holds_up_no_other_witness_and_leaves_nothing_behind(
    hanging: Path, chosen: list[Custody], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "LONGEST_S", 2.0)
    with https_witness(204) as (url, posted):
        chosen.append(Custody(folder=hanging, url=url))
        witnesses.tell_witnesses(StopSignal())
        assert len(posted) == 1
    assert "longer than 2 s" in caplog.text
    assert children() == []


def test_a_share_that_hangs_does_not_hold_the_workers_end(hanging: Path, chosen: list[Custody]) -> None:
    chosen.append(Custody(folder=hanging))
    stop = StopSignal()
    lane = threading.Thread(target=witnesses.tell_witnesses, args=(stop,), name="worker-witnesses")
    lane.start()
    own = Path(f"/proc/{os.getpid()}/task/{lane.native_id}/children")
    until(lambda: own.read_text().split() != [], alive=lane.is_alive)
    began = time.monotonic()
    stop.set()
    lane.join(60)
    assert not lane.is_alive()
    assert time.monotonic() - began < delivery.LONGEST_S / 2, "it did not wait for the share"


def test_a_process_that_cannot_be_ended_is_left_and_its_place_is_given_nothing_more(
    hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a file system whose waits not even SIGKILL ends."""
    monkeypatch.setattr(delivery, "LONGEST_S", 0.5)
    monkeypatch.setattr(delivery, "_KILLED_S", 0.1)
    target = str(hanging / FILE)
    with monkeypatch.context() as unkillable:
        unkillable.setattr(subprocess.Popen, "kill", lambda _: None)
        with pytest.raises(delivery.DeliveryError, match="longer"):
            delivery.deliver("folder", target, b"x", StopSignal())
    with pytest.raises(delivery.DeliveryError, match="still hangs"):
        delivery.deliver("folder", target, b"x", StopSignal())
    left = delivery._left[target]
    left.kill()
    left.wait(60)
    with pytest.raises(delivery.DeliveryError, match="longer"):
        delivery.deliver("folder", target, b"x", StopSignal())


def test_a_clock_that_was_put_back_a_year_keeps_no_witness_waiting(
    archive: Archive, tmp_path: Path, chosen: list[Custody]
) -> None:
    chosen.append(Custody(folder=tmp_path))
    witnesses.tell_witnesses(StopSignal())
    state = archive.home / witnesses.STATE
    in_a_year = wall(parse_wall(now()) + timedelta(days=365))
    told = {name: {"at": in_a_year, "line": one.line} for name, one in witnesses.read_state().items()}
    state.write_text(json.dumps(told))
    witnesses.tell_witnesses(StopSignal())
    assert (tmp_path / FILE).read_bytes().count(b"\n") == 2
