"""The rooms page and its JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import DateTimeField, Value
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import ARCHIVE
from archive.devices import listener
from archive.devices.enrollment import retire
from archive.devices.metrics import gauges
from archive.devices.models import Listening
from archive.devices.reported_status import Message, keep
from archive.rooms.cards import Card
from archive.rooms.models import Room
from tests.archive.page_fixtures import Arrive, listener_runs, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import grant_student, make_student
from tests.support.archives import Archive


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """When every page is asked, by the database's clock: each word was just said, however slow this machine is."""
    now = timezone.now()
    monkeypatch.setattr(listener, "Now", lambda: Value(now, DateTimeField()))
    return now


def say(archive: Archive, **status: Any) -> None:
    """Let the box say something, as the MQTT listener hears it."""
    listener_runs()
    base = f"plainsight/{archive.keys.box}"
    online = {"version": 1, "online": True, "session": 1}
    recorder = {
        "version": 1,
        "box": archive.keys.box,
        "boot_id": "boot",
        "monotonic_ns": 10**12,
        "state": "idle",
        "ready": True,
        "recording": None,
        "since_ns": 10**12 - 10**9,
        **status,
    }
    for rest, body in (("online", online), ("state/recorder", recorder)):
        assert not keep([Message(f"{base}/{rest}", json.dumps(body).encode(), False, datetime.now(UTC))])


def test_a_room_that_was_never_heard_is_silent(archive: Archive, technician: Any) -> None:
    page = check(technician.get("/rooms/").content.decode())
    assert "Room 12" in page.text
    assert "Not known: the archive does not hear its boxes" in page.text
    assert "not listening to its boxes" in page.text


def test_with_its_listener_dead_the_page_calls_every_room_not_known(
    archive: Archive, technician: Any, moment: datetime
) -> None:
    say(archive, state="recording", recording="a" * 32)
    assert technician.get("/rooms.json").json()["rooms"][0]["sign"] == "recording"
    Listening.objects.update(alive_at=moment - timedelta(seconds=11))
    told = technician.get("/rooms.json").json()
    assert [room["sign"] for room in told["rooms"]] == ["unknown"]
    assert told["title"] == "1 not known - Rooms"
    Listening.objects.update(alive_at=moment, connected=False)
    assert [room["sign"] for room in technician.get("/rooms.json").json()["rooms"]] == ["unknown"]


def test_the_page_without_scripts_says_what_the_json_says(archive: Archive, technician: Any) -> None:
    say(archive)
    page = check(technician.get("/rooms/").content.decode())
    answer = technician.get("/rooms.json")
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    assert (told["version"], told["warning"]) == (1, "")
    (room,) = told["rooms"]
    assert (room["box"], room["name"], room["sign"]) == (archive.keys.box, "Room 12", "ready")
    shown = {node.get("data-field"): node.text for node in page.all() if node.get("data-field")}
    (sign,) = [node for node in page.all("span") if "sign-ready" in node.get("class")]
    assert {**shown, "state": sign.text} == room["words"]
    hidden = {node.get("data-field") for node in page.all("p") if "hidden" in node.attributes}
    assert hidden == {name for name, text in room["words"].items() if not text}


def test_the_json_has_stable_members(archive: Archive, technician: Any) -> None:
    told = technician.get("/rooms.json").json()
    assert set(told) == {"version", "at", "at_words", "warning", "summary", "title", "rooms"}
    assert set(told["rooms"][0]) == set(Card.__dataclass_fields__)


def test_a_running_recording_shows_what_is_here(archive: Archive, technician: Any, arrive: Arrive) -> None:
    made = arrive(seconds=3, reason=None)
    say(archive, state="recording", recording=made.id, rate=8000, frames=33 * 8000, acked_frame=32 * 8000)
    (room,) = technician.get("/rooms.json").json()["rooms"]
    assert (room["acknowledged_s"], room["archived_s"], room["waiting"]) == (32.0, 3.0, 0)
    assert "29 s behind" in room["words"]["uploads"]
    assert room["recording"] == made.id


def test_a_card_leads_to_the_running_recording_only_for_who_may_open_that_one(archive: Archive, arrive: Arrive) -> None:
    made = arrive(seconds=3, reason=None)
    say(archive, state="recording", recording=made.id, rate=8000, frames=33 * 8000, acked_frame=32 * 8000)
    student = make_student()
    elsewhere = signed_in(archive, "p.smith", Deed.BOARD)
    grant_student(User.objects.get(username="p.smith"), student, Deed.LOOK)
    everywhere = signed_in(archive, "m.jones", Deed.BOARD, Deed.LOOK)
    for client, address in ((elsewhere, ""), (everywhere, f"/recordings/{made.id}/")):
        (room,) = client.get("/rooms.json").json()["rooms"]
        assert room["address"] == address
        page = check(client.get("/rooms/").content.decode())
        (link,) = [one for one in page.all("a") if one.text == "Open this recording"]
        assert (link.get("href") or "") == address


def test_a_recording_left_behind_is_counted(archive: Archive, technician: Any, arrive: Arrive) -> None:
    arrive(seconds=2, reason=None)
    arrive(seconds=2)
    say(archive)
    (room,) = technician.get("/rooms.json").json()["rooms"]
    assert room["waiting"] == 1
    assert "1 recording has arrived and not been sealed yet" in room["words"]["uploads"]


def test_a_retired_box_is_not_a_room(archive: Archive, technician: Any) -> None:
    retire(archive.keys.box, by=ARCHIVE)
    assert technician.get("/rooms.json").json()["rooms"] == []
    assert "No box has been enrolled yet" in check(technician.get("/rooms/").content.decode()).text


def test_a_room_may_have_any_name(archive: Archive, technician: Any) -> None:
    Room.objects.update(name='<b onclick="x">&"')
    page = check(technician.get("/rooms/").content.decode())
    assert '<b onclick="x">&"' in page.text


def test_news_is_announced_politely_and_only_in_one_place(technician: Any) -> None:
    page = check(technician.get("/rooms/").content.decode())
    assert [node.get("aria-live") for node in page.all() if node.get("aria-live")] == ["polite"]


def test_a_web_host_whose_clock_is_wrong_calls_no_room_silent(
    archive: Archive, technician: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listener, database and web server may run on hosts of their own."""
    say(archive, state="recording", recording="a" * 32)
    wrong = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    told = technician.get("/rooms.json").json()
    assert [room["sign"] for room in told["rooms"]] == ["recording"]
    assert told["warning"] == ""
    assert {one.name: one.values for one in gauges()}["boxes"]["recording"] == 1
