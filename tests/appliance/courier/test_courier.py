"""The command itself, as a process: broker and archive do not hinder each other, and it ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.status import CourierProgress
from appliance.contract.topics import Topics
from appliance.courier.cli import parser
from appliance.courier.courier import Courier
from appliance.courier.mqtt.status_publisher import StatusPublisher
from appliance.simulator.demo.broker import free_port
from appliance.simulator.demo.certificates import Authority
from tests.support.box.courier import Box
from tests.support.fake_archive import Answer, FakeArchive
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


def ended(process: subprocess.Popen[str]) -> tuple[int, str, float]:
    """Ask it to end; return status, what it said and how long it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    return process.returncode, said, time.monotonic() - began


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
            status, said, _ = ended(process)
        assert status == 0, said
        assert "Traceback" not in said
        assert ear.wait(Topics(box.keys.box).online, lambda body: not body["online"])
    found = progress(box)
    assert found is not None
    assert found.recordings[recording.id].state == "sealed"
    assert (box.state / "progress.json").stat().st_mode & 0o777 == 0o644


def test_a_broker_that_is_down_does_not_hinder_uploads(box: Box, archive: FakeArchive) -> None:
    recording = box.record()
    archive.recordings[recording.id] = recording
    with running(write_settings(box, archive.url, free_port(), Authority.make())) as process:
        running_until((box.inbox / f"{recording.id}.tsv").exists, process)
        running_until(lambda: (found := progress(box)) and (found.archive, found.broker) == ("up", "down"), process)


def test_an_archive_that_hangs_hinders_neither_the_status_nor_the_end(
    box: Box, archive: FakeArchive, tmp_path: Path
) -> None:
    box.record()
    archive.rule = lambda _: Answer(hang_s=15.0)
    slow = {"times": {"answer_s": 60.0}}
    with running_broker(tmp_path / "broker") as broker, listening(broker, tmp_path / "ear") as ear:
        with running(write_settings(box, archive.url, broker.port, broker.authority, **slow)) as process:

            def heard_idle() -> bool:
                # said again and again, since a word is stale after two seconds and a busy machine starts slowly
                box.say()
                return any(body["state"] == "idle" for body in ear.of(Topics(box.keys.box).recorder))

            running_until(heard_idle, process)
            ear.wait(Topics(box.keys.box).recorder, lambda body: body["state"] == "silent")
            running_until(lambda: archive.history, process)
            status, said, took = ended(process)
        assert status == 0, said
        assert took < 5
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
