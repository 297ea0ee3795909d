"""`plainsight-archive listen` on a real broker: what boxes say becomes what rooms show, through a broker's restart."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt import publish

from archive.configuration.brokers import MAIN, Mqtt
from archive.devices import listener as listening
from archive.devices.listener import Listener, NewConnection
from archive.devices.models import BoxStatus, Listening
from archive.devices.reported_status import Message, report
from archive.devices.state import state_of_box
from tests.support.archives import Archive
from tests.support.lateness import Lateness
from tests.support.waiting import PATIENCE_S, until

from .test_reported_status import word


@contextmanager
def broker(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    process = subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _open(port), alive=lambda: process.poll() is None)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port(archive: Archive) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    with (archive.home / "archive.toml").open("a") as file:
        file.write(f'[mqtt]\nhost = "127.0.0.1"\nport = {number}\n')
    return number


def connected() -> bool:
    return Listening.objects.filter(connected=True).exists()


def kind(box: str) -> str:
    return state_of_box(report(BoxStatus.objects.filter(pk=box).first()), datetime.now(UTC)).kind


def test_a_room_shows_what_its_box_says(archive: Archive, port: int, tmp_path: Path) -> None:
    box = archive.keys.box

    def say(rest: str, payload: dict[str, object] | bytes, *, retain: bool = False) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload)
        publish.single(f"plainsight/{box}/{rest}", data, qos=1, retain=retain, hostname="127.0.0.1", port=port)

    command = [sys.executable, "-m", "archive.command", "listen"]
    listener = subprocess.Popen(command, env=archive.environment())
    try:
        with broker(tmp_path, port):
            say("state/recorder", {**word("recording", 5), "box": box}, retain=True)
            until(connected, alive=lambda: listener.poll() is None)
            until(lambda: BoxStatus.objects.filter(pk=box, recorder__isnull=False).exists())
            assert kind(box) == "silent", "a retained message alone proves nothing"
            say("online", {"version": 1, "online": True, "session": 3}, retain=True)
            say("nonsense", b"\xff")
            # each of these once ended the listener for good, restarts included
            say("online", {"version": 1, "online": True, "session": 1 << 63}, retain=True)
            say("online", {"version": 1, "online": True, "session": 3}, retain=True)
            # more than the listener takes, and less than Mosquitto 2.1 drops by default
            say("state/about", b"x" * (1 << 20), retain=True)
            say("state/recorder", {**word("recording", 5), "box": box, "monotonic_ns": 10**30}, retain=True)
            say("state/recorder", {**word("recording", 5), "box": box, "rate": 0}, retain=True)
            say("state/recorder", b"no JSON")
            say("state/recorder", {**word("recording", 6), "box": box}, retain=True)
            until(lambda: kind(box) == "recording")
            say("state/recorder", {"version": 1, "box": box, "state": "silent", "last_monotonic_ns": 6}, retain=True)
            until(lambda: kind(box) == "silent")
        until(lambda: not connected(), alive=lambda: listener.poll() is None)
        with broker(tmp_path, port):
            until(connected, alive=lambda: listener.poll() is None)
            say("state/recorder", {**word("idle", 9), "box": box}, retain=True)
            until(lambda: kind(box) == "ready")
    finally:
        listener.send_signal(signal.SIGTERM)
        assert listener.wait(60) == 0
    assert not connected()


def test_a_broker_that_is_not_there_is_told_within_seconds(
    archive: Archive, port: int, tmp_path: Path, machine: Lateness
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "archive.command", "listen"]
        began_ns = time.monotonic_ns()
        listener = subprocess.Popen(command, env=archive.environment(), stderr=file)
    try:
        until(lambda: f"cannot reach the broker at 127.0.0.1:{port}" in log.read_text())
        assert machine.taken_ns(began_ns, time.monotonic_ns()) < 15_000_000_000
    finally:
        listener.send_signal(signal.SIGTERM)
        assert listener.wait(60) == 0


def test_what_arrives_is_dated_by_the_databases_clock(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web servers judge by it how long ago a box was heard, whatever the clock of the listener's host says."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr(listening, "datetime", Ahead)
    listener = Listener(Mqtt())
    listener._sign.say({MAIN: True})
    said: Any = SimpleNamespace(topic="x", payload=b"", retain=False)
    (connection,) = listener._connections
    connection._arrived(connection._client, None, said)
    message = listener._heard.get_nowait()
    assert isinstance(message, Message)
    assert abs(message.at - datetime.now(UTC)) < timedelta(minutes=30)


def test_a_new_connection_that_waits_for_a_full_queue_does_not_hold_the_listeners_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker's thread is joined at the end: it must not wait for a queue from which nobody takes any more."""
    monkeypatch.setattr(listening, "QUEUE", 1)
    named = Mqtt(host="127.0.0.1")
    listener = Listener(named)
    begins = NewConnection(named.brokers[0])
    listener._hear(begins)
    thread = threading.Thread(target=listener._hear, args=(begins,), daemon=True)
    thread.start()
    assert thread.is_alive()
    listener.stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_new_connection_is_never_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "QUEUE", 1)
    named = Mqtt(host="127.0.0.1")
    listener = Listener(named)
    begins = NewConnection(named.brokers[0])
    listener._hear(begins)
    thread = threading.Thread(target=listener._hear, args=(begins,), daemon=True)
    thread.start()
    assert (listener._next(), listener._next()) == ([begins], [begins])
    thread.join(PATIENCE_S)


def test_nobody_can_take_the_listeners_name_at_the_broker(archive: Archive) -> None:
    settings = Mqtt()
    names = {Listener(settings)._connections[0]._client._client_id for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith(settings.client_id.encode()) for name in names)
