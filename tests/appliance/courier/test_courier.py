"""The command itself, as a process: broker and archive do not hinder each other, and it ends when it is told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.status import CourierProgress
from appliance.contract.topics import Topics
from appliance.courier.command import parser
from appliance.courier.courier import Courier
from appliance.courier.mqtt.status_publisher import StatusPublisher
from appliance.courier.settings import Times
from appliance.simulator.demo.ports import free_port
from tests.support.box.courier import Box
from tests.support.certificates import Authority
from tests.support.fake_archive import Answer, FakeArchive, running_archive
from tests.support.lateness import Lateness
from tests.support.mosquitto import listening, running_broker
from tests.support.waiting import until


def write_settings(box: Box, url: str, port: int, authority: Authority, **changes: Any) -> Path:
    files = authority.client(box.root / "tls", box.keys.box)
    members = box.members(url, port=port, ca=str(files.ca), certificate=str(files.certificate), key=str(files.key))
    members.update(changes)
    path = box.root / "courier.toml"
    path.write_text(
        "\n".join(
            line
            for section, values in members.items()
            for line in [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        )
    )
    return path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "appliance.command", "courier", *arguments]


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command("--config", str(config)), stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ask it to end; return status and what it said."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def progress(box: Box) -> CourierProgress | None:
    try:
        return CourierProgress.model_validate_json((box.state / "progress.json").read_bytes())
    except FileNotFoundError:
        return None


def running_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until(condition, alive=lambda: process.poll() is None)


def test_recordings_and_status_arrive_and_sigterm_ends_it_with_status_0(
    box: Box, archive: FakeArchive, tmp_path: Path
) -> None:
    recording = box.record(seconds=12)
    archive.recordings[recording.id] = recording
    with running_broker(tmp_path / "broker") as broker, listening(broker, tmp_path / "ear") as ear:
        with running(write_settings(box, archive.url, broker.port, broker.authority)) as process:
            running_until((box.inbox / f"{recording.id}.tsv").exists, process)
            ear.wait(Topics(box.keys.box).event("sealed"))
            running_until(lambda: (found := progress(box)) and found.broker == "up" and found.archive == "up", process)
            status, said = ended(process)
        assert status == 0, said
        assert "Traceback" not in said
        assert ear.wait(Topics(box.keys.box).online, lambda body: not body["online"])
    found = progress(box)
    assert found is not None
    assert found.recordings[recording.id].state == "sealed"
    assert (box.state / "progress.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("year", [1990, 2060])
def test_promise_3_a_clock_that_is_wrong_by_decades_keeps_nothing_in_the_box(
    box: Box, tmp_path: Path, year: int
) -> None:
    """To such a box each certificate is of the past or the future; the authority that it was given counts."""
    recording = box.record(seconds=2)
    made_at = datetime(year, 1, 1, tzinfo=UTC)
    files = Authority.make(at=made_at).server(tmp_path / "server", ["127.0.0.1"], at=made_at)
    with (
        running_archive(tls=files) as archive,
        running_broker(tmp_path / "broker", certified_at=made_at) as broker,
    ):
        archive.recordings[recording.id] = recording
        config = write_settings(box, archive.url, broker.port, broker.authority)
        config.write_text(config.read_text().replace("[archive]", f'[archive]\nca = "{files.ca}"'))
        with running(config) as process:
            running_until((box.inbox / f"{recording.id}.tsv").exists, process)
            running_until(lambda: (found := progress(box)) and found.broker == "up", process)


def test_a_broker_that_is_down_does_not_hinder_uploads(box: Box, archive: FakeArchive) -> None:
    recording = box.record()
    archive.recordings[recording.id] = recording
    with running(write_settings(box, archive.url, free_port(), Authority.make())) as process:
        running_until((box.inbox / f"{recording.id}.tsv").exists, process)
        running_until(lambda: (found := progress(box)) and (found.archive, found.broker) == ("up", "down"), process)


def test_an_archive_that_hangs_hinders_neither_the_status_nor_the_end(
    box: Box, archive: FakeArchive, tmp_path: Path, machine: Lateness
) -> None:
    box.record()
    archive.rule = lambda _: Answer(hang_s=60.0)
    slow = {"times": {"answer_s": 60.0}}
    with running_broker(tmp_path / "broker") as broker, listening(broker, tmp_path / "ear") as ear:
        with running(write_settings(box, archive.url, broker.port, broker.authority, **slow)) as process:
            with box.saying():
                ear.wait(Topics(box.keys.box).recorder, lambda body: body["state"] == "idle")
            ear.wait(Topics(box.keys.box).recorder, lambda body: body["state"] == "silent")
            running_until(lambda: archive.history, process)
            asked_ns = time.monotonic_ns()
            status, said = ended(process)
            assert machine.taken_ns(asked_ns, time.monotonic_ns()) < 5_000_000_000
        assert status == 0, said
        assert "Traceback" not in said


def test_a_kill_at_any_moment_costs_nothing(box: Box, archive: FakeArchive) -> None:
    recording = box.record(seconds=60, rate=8000, segment_frames=1000)
    archive.recordings[recording.id] = recording
    archive.rule = lambda _: time.sleep(0.02)
    config = write_settings(box, archive.url, free_port(), Authority.make())

    def asked(requests: int) -> bool:
        return len(archive.history) >= requests

    for requests in (2, 5, 8):
        with running(config) as process:
            running_until(partial(asked, requests), process)
            process.kill()
            process.wait()
    with running(config) as process:
        running_until((box.inbox / f"{recording.id}.tsv").exists, process)
    assert archive.kept[recording.id].lines == recording.lines
    assert len(archive.requests("header", status=201)) == 1


def test_a_defect_in_a_thread_ends_the_process_instead_of_leaving_it_half_dead(
    box: Box, archive: FakeArchive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    files = Authority.make().client(box.root / "tls", box.keys.box)
    courier = Courier(
        box.settings(archive.url, ca=str(files.ca), certificate=str(files.certificate), key=str(files.key))
    )

    def defect(_: StatusPublisher) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(StatusPublisher, "_hold_connection", defect)
    assert courier.run() == 1
    assert any("status-publisher" in message for message in caplog.messages)


def test_a_wrong_setting_is_one_line_and_status_2(box: Box) -> None:
    config = write_settings(box, "http://127.0.0.1:9", 1, Authority.make(), spol={"path": "/x"})
    result = subprocess.run(command("--config", str(config)), capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert str(config) in result.stderr
    assert "did you mean 'spool'" in result.stderr


def test_a_state_folder_that_cannot_be_written_is_status_2(box: Box) -> None:
    state = {"path": str(box.root / "nowhere" / "deep")}
    config = write_settings(box, "http://127.0.0.1:9", 1, Authority.make(), state=state)
    result = subprocess.run(command("--config", str(config)), capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "state.path" in result.stderr
    assert "Traceback" not in result.stderr


def test_check_reads_the_settings_and_ends(box: Box) -> None:
    config = write_settings(box, "http://127.0.0.1:9", 1, Authority.make())
    result = subprocess.run(command("--config", str(config), "--check"), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_help_has_an_example() -> None:
    assert "plainsight courier --config" in parser().format_help()


@contextmanager
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch, watchdog_us: int) -> Iterator[socket.socket]:
    """The socket on which systemd is told how a service does."""
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(folder / "notify"))
        found.settimeout(0.2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", str(watchdog_us))
        yield found


def fed_within(channel: socket.socket, seconds: float) -> int:
    """How often the watchdog was fed within so many seconds."""
    count, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            count += channel.recv(100) == b"WATCHDOG=1"
    return count


def fed_once(channel: socket.socket) -> bool:
    """Wait until the watchdog is fed."""

    def hears() -> bool:
        with suppress(TimeoutError):
            return channel.recv(100) == b"WATCHDOG=1"
        return False

    return until(hears, "the watchdog is fed")


def test_the_watchdog_is_fed_while_passes_end_and_not_while_an_archive_hangs(
    box: Box, archive: FakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {"times": {"answer_s": 60.0, "poll_s": 0.1, "probe_s": 0.1}}
    config = write_settings(box, archive.url, free_port(), Authority.make(), **slow)
    with systemd(tmp_path, monkeypatch, 300_000) as channel, running(config) as process:
        running_until(lambda: archive.history, process)
        fed = [fed_once(channel) for _ in range(4)]
        assert all(fed), "again and again"
        hangs = threading.Event()

        def hang(_: object) -> Answer:
            hangs.set()
            return Answer(hang_s=60.0)

        archive.rule = hang
        running_until(hangs.is_set, process)
        fed_within(channel, 1.0)
        assert fed_within(channel, 2.0) == 0
        status, said = ended(process)
    assert status == 0, said


def test_the_watchdog_is_not_fed_while_the_connection_to_the_broker_hangs(
    box: Box, archive: FakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Authority.make().client(box.root / "tls", box.keys.box)
    settings = box.settings(archive.url, ca=str(files.ca), certificate=str(files.certificate), key=str(files.key))
    over = threading.Event()
    monkeypatch.setattr(StatusPublisher, "_hold_connection", lambda _: over.wait(60))
    with systemd(tmp_path, monkeypatch, 300_000) as channel:
        courier = Courier(settings)
        courier._publisher._due = time.monotonic() + 1.5
        threading.Timer(4.0, courier._stop.set).start()
        threading.Timer(4.0, over.set).start()
        heard: list[tuple[float, bytes]] = []
        began = time.monotonic()

        def listen() -> None:
            while time.monotonic() < began + 3.8:
                with suppress(TimeoutError):
                    heard.append((time.monotonic() - began, channel.recv(100)))

        ear = threading.Thread(target=listen)
        ear.start()
        courier.run()
        ear.join()
    times = [at for at, text in heard if text == b"WATCHDOG=1"]
    assert times
    assert max(times) < 2.5


def test_every_limit_of_a_request_is_below_the_watchdogs() -> None:
    unit = (Path(__file__).resolve().parents[3] / "systemd" / "plainsight-courier.service").read_text()
    watchdog_s = next(int(line.partition("=")[2]) for line in unit.splitlines() if line.startswith("WatchdogSec="))
    for field in (Times.model_fields["answer_s"], Times.model_fields["connect_s"]):
        assert max(getattr(one, "le", 0) for one in field.metadata) < watchdog_s
    assert "Type=notify" in unit


def test_a_second_courier_with_the_same_folder_is_refused(box: Box, archive: FakeArchive) -> None:
    config = write_settings(box, archive.url, free_port(), Authority.make())
    with running(config) as process:
        running_until(lambda: archive.history, process)
        result = subprocess.run(command("--config", str(config)), capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "another courier runs" in result.stderr
