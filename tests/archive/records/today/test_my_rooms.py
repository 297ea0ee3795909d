"""Is my room ready? Whoever leads a meeting of today sees the state of its room, and of no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.devices.models import Box
from archive.records.today import views
from archive.records.today.rooms_today import day_of
from archive.rooms.models import Placement
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import Node, check
from tests.archive.records.factories import grant_student, make_bar, make_meeting, make_person, make_room, make_student
from tests.archive.rooms.test_pages import say
from tests.support.archives import Archive


@pytest.fixture
def facilitator(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Who leads the meetings, at noon of today."""
    monkeypatch.setattr(views, "_now", noon)
    return signed_in(archive, "case.manager", role="facilitator")


def noon(**later: int) -> Any:
    return timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(**later)


def mine(**fields: Any) -> None:
    fields.setdefault("facilitator", User.objects.get(username="case.manager"))
    make_meeting(fields.pop("student", None), fields.pop("starts", noon()), **fields)


def lines(client: Any) -> list[str]:
    page: Node = check(client.get("/my-rooms/").content.decode())
    return [row.text for body in page.all("tbody") for row in body.all("tr")]


@pytest.mark.parametrize(
    ("status", "said", "to_do"),
    [
        ({}, "Ready", "nothing"),
        ({"ready": False, "faults": ["microphone-missing"]}, "At fault", "microphone"),
        ({"state": "recording", "recording": "a" * 32}, "Recording", "nothing"),
    ],
)
def test_the_state_of_the_room_is_what_its_box_says(
    archive: Archive, facilitator: Any, status: dict[str, Any], said: str, to_do: str
) -> None:
    mine()
    say(archive, **status)
    (line,) = lines(facilitator)
    for words in ("12:00 pm to 1:00 pm", "Ana Torres", "Room 12", said, to_do):
        assert words in line


def test_a_box_that_is_not_heard_is_not_called_ready(archive: Archive, facilitator: Any) -> None:
    mine()
    (line,) = lines(facilitator)
    assert "Not known" in line
    assert "before the meeting begins" in line


def test_nothing_is_to_be_done_for_a_meeting_that_is_over(archive: Archive, facilitator: Any) -> None:
    mine(starts=noon(hours=-1))
    (line,) = lines(facilitator)
    assert "Its planned end has passed." in line
    assert "Tell" not in line


def test_where_no_box_stands_the_page_says_so(archive: Archive, facilitator: Any) -> None:
    say(archive)
    mine(room=make_room("Room 99"))
    mine(room=None, place="by video", starts=noon(hours=1))
    for line in lines(facilitator):
        assert "No box stands there" in line
        assert "Meet in a room that has one" in line


def test_of_two_boxes_in_a_room_one_that_is_ready_is_enough(archive: Archive, facilitator: Any) -> None:
    say(archive)
    Placement.objects.create(box=Box.objects.create(pk="box-0000000000000002"), room=make_room())
    mine()
    (line,) = lines(facilitator)
    assert "Ready" in line
    assert "Tell" not in line


def test_only_the_own_meetings_of_today_are_told(archive: Archive, facilitator: Any) -> None:
    first, last = day_of(timezone.localtime())
    mine(student=make_student("Mina", "Own"), starts=first)
    mine(student=make_student("Late", "Own"), starts=last - timedelta(minutes=1))
    for name, starts in (("Before", first - timedelta(minutes=1)), ("After", last)):
        mine(student=make_student(name), starts=starts)
    mine(student=make_student("Gone"), cancelled_at=noon())
    mine(student=make_student("Other"), facilitator=make_user("colleague"))
    assert [line.split(" Own")[0].split()[-1] for line in lines(facilitator)] == ["Mina", "Late"]


def test_who_leads_none_sees_all_that_they_reach(archive: Archive, facilitator: Any) -> None:
    director = make_user("director")
    school = make_student("Ana", "Reached")
    grant_student(director, school, Deed.READY)
    mine(student=school)
    mine(student=make_student("Ben", "Elsewhere"))
    client = archive.client()
    client.force_login(director)
    (line,) = lines(client)
    assert "Ana Reached" in line


def test_a_court_order_stands_before_the_own_meeting(archive: Archive, facilitator: Any) -> None:
    student = make_student()
    mine(student=student)
    assert len(lines(facilitator)) == 1
    make_bar(make_person("Case", user=User.objects.get(username="case.manager")), student)
    assert lines(facilitator) == []


def test_today_says_that_a_room_is_not_ready(archive: Archive, facilitator: Any) -> None:
    mine(starts=timezone.now())
    assert "The room is not ready" in check(facilitator.get("/today/").content.decode()).text
    say(archive)
    assert "The room is not ready" not in check(facilitator.get("/today/").content.decode()).text


def test_it_and_auditors_are_not_led_to_meetings(archive: Archive) -> None:
    for role in ("technician", "auditor"):
        assert signed_in(archive, role, role=role).get("/my-rooms/").status_code == 403
