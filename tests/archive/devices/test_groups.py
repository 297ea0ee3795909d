"""Groups of boxes with brokers of their own: whose each box is, whom each lets in, and what the loss of one costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.test import override_settings
from pydantic import ValidationError

from appliance.contract.errors import StorageError
from archive.authority import jobs as certificates
from archive.configuration.brokers import MAIN, Broker, Mqtt
from archive.core.jobs import JOBS
from archive.custody.actors import ARCHIVE
from archive.devices.broker_access import boxes_of, wanted_access, write_for_brokers
from archive.devices.enrollment import retire
from archive.devices.listener import LATE, NewConnection, OwnSign, hears, standing, take_all
from archive.devices.models import Box, BoxStatus, Listening
from archive.devices.reported_status import Message
from archive.rooms.placement import place
from archive.rooms.views import cards_now
from tests.support.archives import Archive

from .test_reported_status import word

NORTH = {"name": "north", "host": "north.example", "rooms": ["north *", "Annex"]}
SOUTH = {"name": "south", "host": "south.example", "rooms": ["*"], "boxes": ["box-carried"]}
GROUPS = Mqtt.model_validate({"groups": [NORTH, SOUTH | {"rooms": ["South *", "Gym [old]?"]}]})


@pytest.fixture
def grouped(archive: Archive) -> Iterator[Archive]:
    """An archive with three brokers."""
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"mqtt": GROUPS})):
        yield archive


def box(name: str, broker: str) -> Box:
    made = Box.objects.create(pk=name, broker=broker)
    place(made, f"Room of {name}", by=ARCHIVE)
    return made


@pytest.mark.parametrize(
    ("name", "room", "broker"),
    [
        ("box-one1", "North 12", "north"),
        ("box-one1", "NORTH 12", "north"),
        ("box-one1", "Annex", "north"),
        ("box-one1", "Annex 2", MAIN),
        ("box-one1", "South 1", "south"),
        ("box-one1", "gym [OLD]?", "south"),
        ("box-one1", "Gym o!", MAIN),
        ("box-one1", "Room 12", MAIN),
        ("box-one1", "", MAIN),
        ("box-carried", "Room 12", "south"),
        ("box-carried", "North 12", "north"),
    ],
)
def test_the_first_group_that_names_a_box_or_its_room_has_it(name: str, room: str, broker: str) -> None:
    assert GROUPS.broker_for(name, room).name == broker


def test_without_groups_there_is_one_broker_and_every_box_is_its() -> None:
    (main,) = Mqtt(host="broker.example", port=1234).brokers
    assert (main.name, main.host, main.port) == (MAIN, "broker.example", 1234)
    assert Mqtt().broker_for("box-one1", "North 12").name == MAIN


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([NORTH | {"rooms": []}], "names no boxes"),
        ([NORTH, NORTH | {"host": "other.example"}], "two brokers have name = 'north'"),
        ([NORTH | {"name": "main"}], "two brokers have name = 'main'"),
        ([NORTH | {"host": "localhost"}], "the same host and port"),
        ([NORTH | {"broker_folder": "/srv/b"}], "two brokers have broker_folder"),
        ([NORTH | {"name": "North High"}], "name"),
        ([SOUTH | {"boxes": ["Room 12"]}], "boxes"),
    ],
)
def test_groups_that_cannot_work_are_refused(groups: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Mqtt.model_validate({"broker_folder": "/srv/b", "groups": groups})


def test_each_box_stands_in_the_list_of_its_own_broker_and_in_no_other(grouped: Archive) -> None:
    known = {"box-main": MAIN, "box-north": "north", "box-south": "south", "box-gone": "no longer there"}
    for name, broker in known.items():
        box(name, broker)
    retire(box("box-out", "north").pk, by=ARCHIVE)
    lists = {broker.name: wanted_access(broker).decode() for broker in GROUPS.brokers}
    for name, told in known.items():
        assert [broker for broker, text in lists.items() if name in text] == [GROUPS.called(told).name]
    assert not any("box-out" in text for text in lists.values())
    assert sum(boxes_of(broker).count() for broker in GROUPS.brokers) == Box.objects.filter(retired_at=None).count()


def test_a_worker_writes_the_lists_whose_folders_are_on_its_host_whichever_host_it_is(
    archive: Archive, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("main", "north")]
    north = Broker.model_validate({**NORTH, "broker_folder": folders[1]})
    made = settings.ARCHIVE.model_copy(update={"mqtt": Mqtt(broker_folder=folders[0], groups=[north])})
    box("box-north", "north")
    with override_settings(ARCHIVE=made):
        for here, other in (folders, folders[::-1]):
            here.mkdir()
            (job,) = [one for one in JOBS if one.run is write_for_brokers]
            assert not job.alone, "a worker elsewhere must not keep it from running here"
            job.run(None)  # type: ignore[arg-type]
            assert (("box-north" in (here / "access").read_text()), other.exists()) == (here.name == "north", False)
            (here / "access").unlink()
            here.rmdir()


def report(
    name: str, broker: str, state: str, at: int = 5, *, faults: tuple[str, ...] = ()
) -> list[NewConnection | Message]:
    said: dict[str, Any] = {
        "online": {"version": 1, "online": True, "session": 1},
        "state/recorder": {**word(state, at), "box": name, "faults": list(faults)},
    }
    return [
        Message(f"plainsight/{name}/{rest}", json.dumps(body).encode(), False, datetime.now(UTC), broker)
        for rest, body in said.items()
    ]


def test_what_another_broker_says_of_a_box_counts_nothing(grouped: Archive) -> None:
    box("box-north", "north")
    take_all(report("box-north", MAIN, "recording"))
    assert not BoxStatus.objects.filter(pk="box-north").exists()
    take_all(report("box-north", "north", "recording"))
    assert BoxStatus.objects.get(pk="box-north").online


def test_a_new_connection_to_a_broker_forgets_the_faults_of_its_boxes_alone(grouped: Archive) -> None:
    for name, broker in (("box-main", MAIN), ("box-north", "north")):
        BoxStatus.objects.create(box=box(name, broker), faults={"clock": 1})
    late = report("box-north", "north", "recording", faults=("clock",))
    take_all([*late, *report("box-main", MAIN, "idle", faults=("clock",)), NewConnection(GROUPS.called("north"))])
    rows = BoxStatus.objects.in_bulk(["box-main", "box-north"])
    assert [rows[name].faults for name in ("box-main", "box-north")] == [{"clock": 1}, {}]
    assert [rows[name].online for name in ("box-main", "box-north")] == [True, False]


def test_a_lost_broker_costs_the_view_of_its_own_boxes_alone(grouped: Archive) -> None:
    for name, broker in (("box-main", MAIN), ("box-north", "north")):
        box(name, broker)
        take_all(report(name, broker, "recording"))
    own = OwnSign()
    own.say(dict.fromkeys((MAIN, "north", "south"), True))
    signs = {card.box: card.sign for card in cards_now(UTC)}
    assert (signs["box-main"], signs["box-north"], hears()) == ("recording", "recording", True)
    own.say({MAIN: True, "north": False, "south": True})
    signs = {card.box: card.sign for card in cards_now(UTC)}
    assert (signs["box-main"], signs["box-north"], hears()) == ("recording", "unknown", False)
    assert standing().lost == {"north"}


def test_a_listener_that_is_cut_off_hides_nothing_that_another_hears(grouped: Archive) -> None:
    own = OwnSign()
    everything = dict.fromkeys((MAIN, "north", "south"), True)
    cut_off = everything | {"north": False}
    own.say(everything)
    # one of a time to come said so before the clock was put back
    put_back = timedelta(hours=-1)
    for ago, lost in ((timedelta(seconds=1), set()), (LATE, {"north"}), (put_back, {"north"})):
        Listening.objects.update(alive_at=Now() - ago, connected=True)
        own.say(cut_off)
        assert standing().lost == lost, f"the other listener said {ago} ago that it hears"
    own.say(everything)
    own.say(cut_off)
    assert standing().lost == {"north"}, "what it said itself keeps it from nothing"


def test_a_broker_folder_that_cannot_be_written_stops_no_other(archive: Archive, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("main", "north")]
    for folder in folders:
        folder.mkdir()
    for name in ("access", "server.pem"):
        (folders[0] / name).mkdir()
    north = Broker.model_validate({**NORTH, "broker_folder": folders[1]})
    mqtt = Mqtt(broker_folder=folders[0], groups=[north])
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"mqtt": mqtt})):
        with pytest.raises(StorageError, match="main"):
            write_for_brokers(None)  # type: ignore[arg-type]
        certificates.make_own()
        with pytest.raises(StorageError, match="main"):
            certificates.make_for_brokers()
    assert {"access", "server.pem", "server.key"} <= {path.name for path in folders[1].iterdir()}
