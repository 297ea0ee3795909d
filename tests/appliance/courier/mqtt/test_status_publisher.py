"""Status over a real Mosquitto with TLS, client certificates and an access list."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.durable_files import replace
from appliance.contract.enrollment import BrokerAddress
from appliance.contract.errors import SettingsError
from appliance.contract.topics import Topics
from appliance.courier.mqtt.connection import address_of, tls_context
from appliance.courier.mqtt.status_publisher import Sessions, StatusPublisher
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader
from tests.support.box.courier import Box
from tests.support.certificates import Authority, Files
from tests.support.mosquitto import Broker, Listener, listening, running_broker
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
def publishing(box: Box, broker: Broker, files: Files) -> Iterator[StatusPublisher]:
    publisher = StatusPublisher(
        settings_for(box, broker, files), StatusReader(box.root / "run", box.keys.box), "plainsight test"
    )
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()


def test_a_box_tells_who_it_is_how_it_is_and_says_goodbye(
    box: Box, broker: Broker, ear: Listener, authority: Authority
) -> None:
    topics = Topics(box.keys.box)
    with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher:
        with box.saying(faults=["clock"]):
            assert ear.wait(topics.online) == {"version": 1, "online": True, "session": 1}
            assert ear.wait(topics.about)["software"] == "plainsight test"
            assert ear.wait(topics.fault("clock"))["code"] == "clock"
            ear.wait(topics.recorder, lambda body: body["state"] == "idle")
            until(lambda: publisher.connected)
        with box.saying(state="recording", recording="a" * 32):
            ear.wait(topics.recorder, lambda body: body["state"] == "recording")
        assert ear.wait(topics.event("recording-started"))["recording"] == "a" * 32
        ear.wait(topics.fault("clock"), lambda body: body is None)
        ear.wait(topics.recorder, lambda body: body["state"] == "silent")
        publisher.publish_event("sealed", "b" * 32)
        assert ear.wait(topics.event("sealed"))["recording"] == "b" * 32
    assert ear.wait(topics.online, lambda body: not body["online"])["session"] == 1
    assert not publisher.connected


def test_the_broker_restarts_and_hears_everything_again_in_a_new_session(
    box: Box, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    topics = Topics(box.keys.box)
    with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher:
        with box.saying(faults=["clock"]):
            until(lambda: publisher.connected)
            broker.stop(kill=True)
            until(lambda: not publisher.connected)
        broker.start()
        with box.saying(faults=["spool-low"]), listening(broker, tmp_path / "second") as ear:
            assert ear.wait(topics.online, lambda body: body["online"])["session"] >= 2
            ear.wait(topics.fault("spool-low"))
            assert ear.wait(topics.about)["box"] == box.keys.box
            until(lambda: publisher.connected)
            assert ear.of(topics.fault("clock")) in ([], [None])


def test_a_box_goes_over_to_the_broker_that_the_archive_names(
    box: Box, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    topics, address = Topics(box.keys.box), box.root / "broker.json"
    with (
        running_broker(tmp_path / "other", authority) as other,
        publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher,
        listening(other, tmp_path / "ear of other") as ear,
    ):
        until(lambda: publisher.connected)
        for useless in ('{"host":"loc', '{"host":"localhost"}', "x" * 5000):
            address.write_text(useless)
            assert address_of(settings_for(box, broker, authority.client(box.root / "tls", box.keys.box)).broker) == (
                BrokerAddress(host="localhost", port=broker.port)
            )
        named = BrokerAddress(host="localhost", port=other.port)
        replace(address, named.model_dump_json().encode(), mode=0o644, durable=False)
        assert ear.wait(topics.online)["session"] == 2
        until(lambda: publisher.connected)


def test_a_courier_that_dies_is_reported_by_its_will(
    box: Box, broker: Broker, ear: Listener, authority: Authority
) -> None:
    topics = Topics(box.keys.box)
    with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)):
        ear.wait(topics.online, lambda body: body["online"])
        # the same client id again: the broker throws the first one out, as when a connection breaks
        other = Box(box.root, box.keys)
        with publishing(other, broker, authority.client(box.root / "tls2", box.keys.box)):
            will = ear.wait(topics.online, lambda body: not body["online"])
            assert will["session"] == 1


def test_two_boxes_with_one_identity_are_told_of_and_come_back_ever_more_slowly(
    box: Box,
    broker: Broker,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began: dict[Sessions, list[float]] = {}
    real = Sessions.following

    def following(sessions: Sessions) -> int:
        began.setdefault(sessions, []).append(time.monotonic())
        return real(sessions)

    monkeypatch.setattr(Sessions, "following", following)
    members = settings_for(box, broker, authority.client(box.root / "tls", box.keys.box)).model_dump()
    members["times"] |= {"retry_s": 0.2, "retry_max_s": 60.0}
    other = box.root / "other"
    other.mkdir()
    settings = [CourierSettings.model_validate({**members, "state": {"path": path}}) for path in (box.state, other)]
    publishers = [
        StatusPublisher(one, StatusReader(box.root / "run", box.keys.box), "plainsight test") for one in settings
    ]
    for publisher in publishers:
        publisher.start()
    until(lambda: any("two boxes have one identity" in message for message in caplog.messages))
    until(lambda: sum(map(len, began.values())) >= 10)
    for publisher in publishers:
        publisher.stop()
    assert len(began) == 2
    for moments in began.values():
        pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
        # each at least half of 0.2 s, doubled each time: a connection that the other ended makes it no shorter
        assert all(pause >= 0.1 * 2**count for count, pause in enumerate(pauses)), pauses
    assert sum("two boxes" in message for message in caplog.messages) <= 2, "logged once by each"


def test_a_connection_that_lasts_makes_the_next_pause_short_again(
    box: Box, broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    members = settings_for(box, broker, authority.client(box.root / "tls", box.keys.box)).model_dump()
    members["times"] |= {"retry_s": 0.3, "retry_max_s": 1.0}
    publisher = StatusPublisher(
        CourierSettings.model_validate(members), StatusReader(box.root / "run", box.keys.box), "plainsight test"
    )
    publisher.start()
    try:
        for _ in range(3):
            until(lambda: publisher.connected)
            broker.stop(kill=True)
            until(lambda: not publisher.connected)
            broker.start()
        assert publisher._backoff.attempts > 1
        until(lambda: publisher.connected and publisher._backoff.attempts == 0)
    finally:
        publisher.stop()


def test_the_broker_denies_a_box_that_uses_anothers_certificate(
    box: Box, broker: Broker, ear: Listener, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    box.say()
    with publishing(box, broker, authority.client(box.root / "tls", "box-somebody-else")) as publisher:
        until(lambda: any("Not authorized" in message for message in caplog.messages))
        until(lambda: any(f"below plainsight/{box.keys.box}/" in message for message in caplog.messages))
        assert not publisher.connected
    assert ear.messages == []


def test_the_broker_refuses_a_certificate_of_another_authority(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files = Authority.make("somebody else").client(box.root / "tls", box.keys.box)
    files.ca.write_bytes(authority.client(box.root / "real", "x").ca.read_bytes())
    with publishing(box, broker, files) as publisher:
        until(lambda: any("broker" in message and "tried again" in message for message in caplog.messages))
        assert not publisher.connected


def test_the_box_refuses_a_broker_of_another_authority(
    box: Box, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with publishing(box, broker, Authority.make("somebody else").client(box.root / "tls", box.keys.box)) as publisher:
        until(lambda: any("certificate verify failed" in message for message in caplog.messages))
        assert not publisher.connected


def test_a_broker_that_is_down_is_tried_until_it_is_there_and_logged_once(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher:
        until(lambda: publisher._backoff.attempts >= 3)
        assert sum("cannot be reached" in message for message in caplog.messages) == 1
        broker.start()
        until(lambda: publisher.connected)


def test_something_that_is_no_broker_is_given_up_and_tried_again(
    box: Box, broker: Broker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        broker.port, real = mute.getsockname()[1], broker.port
        with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher:
            until(lambda: any("cannot be reached" in message for message in caplog.messages))
            assert not publisher.connected
        broker.port = real


def test_sessions_grow_over_restarts_and_a_broken_counter(tmp_path: Path) -> None:
    path = tmp_path / "session"
    first = Sessions(path)
    numbers = [first.following() for _ in range(2500)]
    assert numbers == list(range(1, 2501))
    after = Sessions(path).following()
    assert after > 2500
    path.write_text("nonsense")
    broken = Sessions(path).following()
    assert broken > 1_600_000_000
    assert Sessions(path).following() > broken


def test_a_counter_that_cannot_be_kept_grows_all_the_same_and_is_kept_as_soon_as_it_can(tmp_path: Path) -> None:
    path = tmp_path / "later" / "session"
    sessions = Sessions(path)
    assert [sessions.following(), sessions.following()] == [1, 2]
    path.parent.mkdir()
    assert sessions.following() == 3
    assert Sessions(path).following() > 3


def test_a_broker_that_is_away_for_weeks_wears_out_no_card(
    box: Box, broker: Broker, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt has a number of its own, and the recordings lie on the same card."""
    broker.stop()
    written: list[Path] = []

    def noted(path: Path, data: bytes, **options: Any) -> None:
        written.append(path)
        replace(path, data, **options)

    monkeypatch.setattr("appliance.courier.mqtt.status_publisher.replace", noted)
    with publishing(box, broker, authority.client(box.root / "tls", box.keys.box)) as publisher:
        until(lambda: publisher._backoff.attempts >= 8)
    assert written == [box.state / "session"]


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
