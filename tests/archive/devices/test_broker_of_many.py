"""A broker and many boxes: who may say what, whom a retirement stops, and how all come back after a restart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.contract.amber_codes import TABLE
from appliance.contract.topics import PREFIX, Topics
from appliance.courier.backoff import Backoff, Pace
from appliance.courier.mqtt.status_publisher import StatusPublisher
from appliance.courier.settings import CourierSettings, Times
from appliance.courier.status_reader import StatusReader
from archive.devices.broker_access import WRITE_S, access_list
from tests.support.box.courier import FAST, Box
from tests.support.certificates import Authority
from tests.support.mosquitto import Broker, Listener, listening, writing
from tests.support.spools import Keys
from tests.support.waiting import PATIENCE_S, until

BOXES = 12


class Courier:
    """The publishing half of a box's courier."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        for name in ("spool/recordings", "inbox", "run", "state"):
            (folder / name).mkdir(parents=True)
        self.box = Box(folder, Keys())
        self.id = self.box.keys.box
        self.topics = Topics(self.id)
        files = broker.authority.client(folder / "tls", self.id)
        members = self.box.members(
            "http://127.0.0.1:9",
            port=broker.port,
            ca=str(files.ca),
            certificate=str(files.certificate),
            key=str(files.key),
            # what is held here is who drops whom, not how long this machine may keep a box from saying a word
            keepalive=300,
        )
        members["times"] = {**FAST, "connect_s": PATIENCE_S}
        settings = CourierSettings.model_validate(members)
        self.publisher = StatusPublisher(settings, StatusReader(folder / "run", self.id), "plainsight test")

    def sessions(self, ear: Listener) -> set[int]:
        """The numbers of its connections, as the archive heard them."""
        return {body["session"] for body in ear.of(self.topics.online) if body is not None}


@contextmanager
def running(folder: Path, broker: Broker) -> Iterator[list[Courier]]:
    """Boxes that the broker takes."""
    couriers = [Courier(folder / str(number), broker) for number in range(BOXES)]
    broker.access = access_list(courier.id for courier in couriers)
    broker.start()
    try:
        for courier in couriers:
            courier.publisher.start()
        yield couriers
    finally:
        for courier in couriers:
            courier.publisher.stop()
        broker.stop()


def test_a_retirement_stops_one_box_and_a_restart_brings_all_others_back(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", Authority.make())
    with running(tmp_path / "boxes", broker) as couriers, listening(broker, tmp_path / "ear") as ear:
        until(lambda: all(courier.publisher.connected for courier in couriers))
        until(lambda: all(courier.sessions(ear) == {1} for courier in couriers))
        retired, *others = couriers
        broker.take_access(access_list(courier.id for courier in others))

        def is_refused() -> bool:
            """Whether the broker has read the list: the last word of the retired box is older than one of another."""
            before = len(ear.of(retired.topics.event("recording-started")))
            for courier in (retired, others[0]):
                courier.publisher.publish_event("recording-started", "a" * 32)
            heard = len(ear.of(others[0].topics.event("recording-started")))
            until(lambda: len(ear.of(others[0].topics.event("recording-started"))) > heard)
            return len(ear.of(retired.topics.event("recording-started"))) == before

        until(is_refused)
        for courier in others:
            courier.publisher.publish_event("sealed", "b" * 32)
        for courier in others:
            ear.wait(courier.topics.event("sealed"))
        assert all(courier.sessions(ear) == {1} for courier in couriers), "nobody was dropped"
        broker.stop(kill=True)
        until(lambda: not any(courier.publisher.connected for courier in couriers))
        broker.start()
        until(lambda: all(courier.publisher.connected for courier in others))
        until(lambda: all(max(courier.sessions(ear)) >= 2 for courier in others))
        assert not retired.publisher.connected
        assert retired.sessions(ear) == {1}


def test_a_box_makes_up_no_topic_and_the_broker_keeps_only_what_a_box_has_to_say(tmp_path: Path) -> None:
    """What is retained stays in the broker's memory, which all boxes share."""
    broker = Broker(tmp_path / "broker", Authority.make())
    box, other = "box-0123456789ab", "box-ba9876543210"
    broker.access = access_list([box, other])
    broker.start()
    try:
        made_up = [f"{PREFIX}/{box}/{rest}" for rest in ("state/fault/made-up", "event/x/y", "state", "x")]
        mine = Topics(box).all()
        with writing(broker, broker.authority.client(tmp_path / "tls", box)) as write:
            for topic in (*made_up, *Topics(other).all()):
                write(topic, b'{"made":"up"}')
            for topic in mine:
                write(topic, b'{"said":true}')
        # subscribed only now: what it hears is what the broker kept
        with listening(broker, tmp_path / "ear") as ear:
            for topic in mine:
                ear.wait(topic)
            assert {topic for topic, *_ in ear.messages} == set(mine)
    finally:
        broker.stop()


def test_every_amber_code_and_event_has_a_topic_of_its_own() -> None:
    lines = access_list(["box-0123456789ab"]).splitlines()
    assert f"topic write {PREFIX}/box-0123456789ab/state/fault/{TABLE[0].code}" in lines
    assert len(lines) == len(set(lines)) + lines.count("") - 1
    assert not [line for line in lines if line.startswith("topic write") and ("#" in line or "+" in line)]


def test_a_retirement_reaches_the_broker_within_a_minute() -> None:
    # the worker compares so often, systemd's path unit acts on the change, and the broker reads the list at once
    assert WRITE_S <= 15


@pytest.mark.parametrize("boxes", [2000])
def test_boxes_that_lost_their_broker_in_one_moment_come_back_spread_out(boxes: int) -> None:
    times = Times()
    pace = Pace(times.retry_s, times.retry_max_s)
    chances = [random.Random(box) for box in range(boxes)]
    pauses = [Backoff(_random=chance).failed(pace, 0.0, spread=times.spread_s) for chance in chances]
    in_a_second = Counter(int(pause) for pause in pauses)
    assert max(in_a_second.values()) <= boxes / times.spread_s * 1.2
    assert max(pauses) <= times.spread_s
