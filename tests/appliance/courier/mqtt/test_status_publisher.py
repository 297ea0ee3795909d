"""Status over a real Mosquitto with TLS, client certificates and an access list."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.topics import Topics
from appliance.courier.mqtt.connection import tls_context
from appliance.courier.mqtt.status_publisher import Sessions, StatusPublisher
from appliance.courier.status_reader import StatusReader
from appliance.simulator.demo.broker import Broker
from appliance.simulator.demo.certificates import Authority, Files
from tests.support.box.courier import Box
from tests.support.mosquitto import Listener, listening, running_broker
from tests.support.waiting import until


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker", authority) as found:
        yield found


@pytest.fixture
def ear(broker: Broker, tmp_path: Path) -> Iterator[Listener]:
    with listening(broker, tmp_path / "ear") as found:
        yield found


def settings_for(box: Box, broker: Broker, files: Files) -> Any:
    return box.settings(
        "http://127.0.0.1:9",
        port=broker.port,
        ca=str(files.ca),
        certificate=str(files.certificate),
        key=str(files.key),
        keepalive=5,
    )


@contextlib.contextmanager
def heralding(box: Box, broker: Broker, files: Files) -> Iterator[StatusPublisher]:
    herald = StatusPublisher(
        settings_for(box, broker, files), StatusReader(box.root / "run", box.keys.box), "plainsight test"
    )
    herald.start()
    try:
        yield herald
    finally:
        herald.stop()


def test_a_box_tells_who_it_is_how_it_is_and_says_goodbye(
    box: Box, broker: Broker, ear: Listener, authority: Authority
) -> None:
    topics = Topics(box.keys.box)
    box.say(faults=["clock"])
    with heralding(box, broker, authority.client(box.root / "tls", box.keys.box)) as herald:
        assert ear.wait(topics.online) == {"version": 1, "online": True, "session": 1}
        assert ear.wait(topics.about)["software"] == "plainsight test"
        assert ear.wait(topics.fault("clock"))["code"] == "clock"
        assert ear.wait(topics.recorder)["state"] == "idle"
        until(lambda: herald.up)
        box.say(state="recording", recording="a" * 32)
        ear.wait(topics.recorder, lambda body: body["state"] == "recording")
        assert ear.wait(topics.event("recording-started"))["recording"] == "a" * 32
        ear.wait(topics.fault("clock"), lambda body: body is None)
        ear.wait(topics.recorder, lambda body: body["state"] == "silent")
        herald.tell("sealed", "b" * 32)
        assert ear.wait(topics.event("sealed"))["recording"] == "b" * 32
    assert ear.wait(topics.online, lambda body: not body["online"])["session"] == 1
    assert not herald.up


def test_the_broker_restarts_and_hears_everything_again_in_a_new_session(
    box: Box, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    topics = Topics(box.keys.box)
    box.say(faults=["clock"])
    with heralding(box, broker, authority.client(box.root / "tls", box.keys.box)) as herald:
        until(lambda: herald.up)
        broker.stop(kill=True)
        until(lambda: not herald.up)
        box.say(faults=["spool-low"])
        broker.start()
        with listening(broker, tmp_path / "second") as ear:
            assert ear.wait(topics.online, lambda body: body["online"])["session"] >= 2
            box.say(faults=["spool-low"])
            ear.wait(topics.fault("spool-low"))
            assert ear.wait(topics.about)["box"] == box.keys.box
            until(lambda: herald.up)
            assert ear.of(topics.fault("clock")) in ([], [None])


def test_a_courier_that_dies_is_reported_by_its_will(
    box: Box, broker: Broker, ear: Listener, authority: Authority
) -> None:
    topics = Topics(box.keys.box)
    with heralding(box, broker, authority.client(box.root / "tls", box.keys.box)):
        ear.wait(topics.online, lambda body: body["online"])
        # the same client id again: the broker throws the first one out, as when a connection breaks
        other = Box(box.root, box.keys)
        with heralding(other, broker, authority.client(box.root / "tls2", box.keys.box)):
            will = ear.wait(topics.online, lambda body: not body["online"])
            assert will["session"] == 1


def test_the_broker_denies_a_box_that_uses_anothers_certificate(
    box: Box, broker: Broker, ear: Listener, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    box.say()
    with heralding(box, broker, authority.client(box.root / "tls", "box-somebody-else")) as herald:
        until(lambda: any("Not authorized" in message for message in caplog.messages))
        until(lambda: any(f"below plainsight/{box.keys.box}/" in message for message in caplog.messages))
        assert not herald.up
    assert ear.messages == []


def test_the_broker_refuses_a_certificate_of_another_authority(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files = Authority.make("somebody else").client(box.root / "tls", box.keys.box)
    files.ca.write_bytes(authority.client(box.root / "real", "x").ca.read_bytes())
    with heralding(box, broker, files) as herald:
        until(lambda: any("broker" in message and "tried again" in message for message in caplog.messages))
        assert not herald.up


def test_the_box_refuses_a_broker_of_another_authority(
    box: Box, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with heralding(box, broker, Authority.make("somebody else").client(box.root / "tls", box.keys.box)) as herald:
        until(lambda: any("certificate verify failed" in message for message in caplog.messages))
        assert not herald.up


def test_a_broker_that_is_down_is_tried_until_it_is_there_and_logged_once(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    with heralding(box, broker, authority.client(box.root / "tls", box.keys.box)) as herald:
        until(lambda: (box.state / "session").exists() and int((box.state / "session").read_text()) >= 4)
        assert sum("cannot be reached" in message for message in caplog.messages) == 1
        broker.start()
        until(lambda: herald.up)


def test_something_that_is_no_broker_is_given_up_and_tried_again(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        broker.port, real = mute.getsockname()[1], broker.port
        with heralding(box, broker, authority.client(box.root / "tls", box.keys.box)) as herald:
            until(lambda: any("cannot be reached" in message for message in caplog.messages))
            assert not herald.up
        broker.port = real


def test_sessions_grow_over_restarts_and_a_broken_counter(tmp_path: Path) -> None:
    path = tmp_path / "session"
    assert [Sessions(path).following() for _ in range(3)] == [1, 2, 3]
    path.write_text("nonsense")
    after = Sessions(path).following()
    assert after > 1_600_000_000
    assert Sessions(path).following() == after + 1


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
def test_a_certificate_that_is_missing_or_none_is_named(box: Box, authority: Authority, name: str) -> None:
    for damage in (Path.unlink, lambda path: path.write_text("nonsense")):
        files = authority.client(box.root / "tls", box.keys.box)
        damage(getattr(files, name))
        members = {"ca": files.ca, "certificate": files.certificate, "key": files.key}
        settings = box.settings("http://127.0.0.1:9", **{key: str(path) for key, path in members.items()})
        with pytest.raises(SettingsError) as caught:
            tls_context(settings.broker)
        # OpenSSL does not say which of certificate and key it means
        assert caught.value.field == (
            "broker.certificate" if name == "key" and files.key.exists() else f"broker.{name}"
        )
