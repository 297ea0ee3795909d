"""Where boxes stand: moving one never rewrites where something was recorded."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from appliance.contract.times import Clock, wall
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.rooms.models import Placement, Room
from archive.rooms.placement import room_at
from tests.archive.page_fixtures import Arrive, send_one
from tests.archive.pages import check
from tests.support import spools
from tests.support.archives import Archive


def row_text(client: Any) -> str:
    return check(client.get("/recordings/").content.decode()).one("tbody").text


def test_a_recording_keeps_the_room_where_it_was_made(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    archive.run("place", archive.keys.box, "Warehouse")
    assert "Room 12" in row_text(custodian)
    page = check(custodian.get(f"/recordings/{made.id}/").content.decode())
    assert "Room 12" in page.text
    assert "Warehouse" not in page.text
    rooms = {room.name: room.pk for room in Room.objects.all()}
    assert made.id in custodian.get(f"/recordings/?room={rooms['Room 12']}").content.decode()
    assert made.id not in custodian.get(f"/recordings/?room={rooms['Warehouse']}").content.decode()
    (card,) = custodian.get("/rooms.json").json()["rooms"]
    assert card["name"] == "Warehouse", "the board shows where the box stands now"


def test_enrolling_again_in_another_room_moves_the_box_only(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    sealed(seconds=1)
    archive.run("add-box", archive.keys.box, "--public-key", archive.keys.box_signing.public, "--room", "Warehouse")
    assert "Room 12" in row_text(custodian)


@pytest.mark.parametrize("synchronized", [True, False])
def test_what_was_made_before_a_move_and_sent_after_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronized: bool
) -> None:
    """The box's clock says when it was made, if it can be believed; else the archive knows only when it came."""
    now = timezone.now()
    Placement.objects.update(since=now - timedelta(days=9))
    archive.run("place", archive.keys.box, "Warehouse")
    clock = Clock(synchronized=synchronized, source="ntp" if synchronized else "none", offset_ns=None)
    monkeypatch.setattr(spools, "now", lambda: wall(now - timedelta(days=2)))
    monkeypatch.setattr(spools, "CLOCK", clock)
    send_one(archive, tmp_path / "spool", seconds=1)
    room = Recording.objects.get().room
    assert room is not None
    assert room.name == ("Room 12" if synchronized else "Warehouse")


def test_a_moment_before_any_placement_is_not_guessed_at(archive: Archive) -> None:
    long_ago = timezone.now() - timedelta(days=365)
    assert room_at(archive.keys.box, long_ago) is None
    assert str(room_at(archive.keys.box, long_ago, timezone.now())) == "Room 12"


def test_placing_is_an_entry_without_the_rooms_name(archive: Archive) -> None:
    archive.run("place", archive.keys.box, "Warehouse")
    archive.run("place", archive.keys.box, "  Warehouse ")
    assert Entry.objects.filter(code="place").count() == 2
    room = Room.objects.get(name="Warehouse")
    assert json.loads(Entry.objects.latest("n").detail) == {"room": str(room.pk)}
    assert "Warehouse" not in str(list(Entry.objects.values()))


@pytest.mark.parametrize("name", ["", "  ", "x" * 500])
def test_a_room_needs_a_name_that_can_be_read(archive: Archive, name: str) -> None:
    assert "no name of a room" in archive.run("place", archive.keys.box, name, status=2).stderr
    assert Room.objects.count() == 1


def test_a_box_that_is_not_known_has_no_place(archive: Archive) -> None:
    assert "does not know" in archive.run("place", "box-nobody", "Room 9", status=2).stderr


def test_a_box_cannot_stand_in_two_rooms(archive: Archive) -> None:
    room = Room.objects.create(name="Warehouse")
    with pytest.raises(IntegrityError), transaction.atomic():
        Placement.objects.create(box_id=archive.keys.box, room=room)
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Placement.objects.create(box_id=archive.keys.box, room=room, since=now, until=now - timedelta(seconds=1))
