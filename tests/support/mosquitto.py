"""A real broker with TLS, client certificates and access list, and a client that reads as the archive does."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from appliance.contract.topics import ALL, PREFIX
from appliance.simulator.demo.broker import BrokerError, write_broker
from appliance.simulator.demo.ports import free_port
from archive.setup.broker_settings import access_plugin, broker_settings, program
from tests.support.certificates import Authority, Files
from tests.support.waiting import PATIENCE_S, TimedOutError, until

ARCHIVE = "archive"
"""Common name of the one client that may read."""
STOP_S = 5.0
"""How long it may take to end, in seconds."""


@dataclass
class Broker:
    """A broker that this process starts and ends."""

    folder: Path
    """Where its files and its log lie."""
    authority: Authority
    """Who vouches for it and its clients."""
    port: int = field(default_factory=free_port)
    """Port on 127.0.0.1, kept over restarts."""
    access: str = f"user {ARCHIVE}\ntopic read {PREFIX}/#\n\npattern write {PREFIX}/%u/#\n"
    """Its access list; %u is the certificate's common name: the box's id."""
    certified_at: datetime | None = None
    """When its certificate was made; None: now."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / "mosquitto.log"

    def start(self) -> None:
        """Start it and return when it listens."""
        self.authority.server(self.folder, at=self.certified_at)
        self._write_access()
        command = write_broker(self.folder, self.port)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process = self._process
        try:
            until(lambda: _listens(self.port), "the broker", alive=lambda: process.poll() is None)
        except TimedOutError as error:
            self.stop()
            raise BrokerError(f"the broker does not start: {self.log.read_text()[-500:]}") from error

    def take_access(self, text: str) -> None:
        """Read another access list, as it does when the archive has written one."""
        self.access = text
        self._write_access()
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def _write_access(self) -> None:
        path = self.folder / "access"
        path.write_text(self.access, encoding="ascii")
        path.chmod(0o600)

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once with `kill`; a broker that does not run is none the worse."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_broker(folder: Path, authority: Authority | None = None, **options: Any) -> Iterator[Broker]:
    """A broker in `folder`; ended at exit."""
    broker = Broker(folder, authority or Authority.make(), **options)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def broker_as_set_up(folder: Path, work: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A broker with the settings that set-up writes for the files in `folder`: its own port, and its process."""
    port = free_port()
    broker = program()
    assert broker is not None, "mosquitto is not installed"
    text = broker_settings(folder, access_plugin(broker)).replace("listener 8883", f"listener {port} 127.0.0.1")
    settings = work / "mosquitto.conf"
    settings.write_text(text + "user root\n")
    with (work / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([broker, "-c", str(settings)], stderr=log)
    try:
        until(lambda: _listens(port), "the broker", alive=lambda: process.poll() is None)
        yield port, process
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Listener:
    """What the archive hears: every message as (topic, decoded JSON or None, retained), in order."""

    def __init__(self, broker: Broker, files: Files) -> None:
        self.messages: list[tuple[str, Any, bool]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test-listener", protocol=mqtt.MQTTv5)
        context = ssl.create_default_context(cafile=str(files.ca))
        context.load_cert_chain(files.certificate, files.key)
        self._client.tls_set_context(context)
        self._client.on_connect = lambda client, *_: client.subscribe(ALL, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("localhost", broker.port)
        self._client.loop_start()
        assert self._ready.wait(60), "the broker does not let the archive subscribe"

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload) if message.payload else None
        self.messages.append((message.topic, body, message.retain))

    def of(self, topic: str) -> list[Any]:
        """Bodies of everything that came on a topic."""
        return [body for name, body, _ in list(self.messages) if name == topic]

    def wait(self, topic: str, fits: Callable[[Any], bool] = lambda _: True, seconds: float = PATIENCE_S) -> Any:
        """The first body on `topic` that fits; AssertionError after the deadline."""
        fitting = until(lambda: [body for body in self.of(topic) if fits(body)], f"a message on {topic}", seconds)
        return fitting[0]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(broker: Broker, folder: Path) -> Iterator[Listener]:
    """A listener with the archive's certificate; stopped at exit."""
    listener = Listener(broker, broker.authority.client(folder, ARCHIVE))
    try:
        yield listener
    finally:
        listener.stop()


@contextmanager
def writing(broker: Broker, files: Files) -> Iterator[Callable[[str, bytes], None]]:
    """A client that says whatever it likes, retained; each call returns once the broker has decided about it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    context = ssl.create_default_context(cafile=str(files.ca))
    context.load_cert_chain(files.certificate, files.key)
    client.tls_set_context(context)
    client.connect("localhost", broker.port)
    client.loop_start()

    def write(topic: str, body: bytes) -> None:
        client.publish(topic, body, qos=1, retain=True).wait_for_publish(PATIENCE_S)

    try:
        yield write
    finally:
        client.disconnect()
        client.loop_stop()
