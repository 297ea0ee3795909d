"""Notices and meetings: logged in under a minute, never denied, moved and cancelled but never deleted."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from archive.records.errors import DeedError, StaleError
from archive.records.meetings import deeds
from archive.records.meetings.deeds import MeetingFacts, NoticeFacts
from archive.records.meetings.describe import notice_words
from archive.records.meetings.models import Meeting, MeetingKind, Notice, ParentRecords
from tests.archive.page_fixtures import make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import NOON, make_meeting, make_room, make_student
from tests.support.archives import Archive

TEMPLATES = Path(deeds.__file__).parent / "templates"


@pytest.fixture
def facilitator(archive: Archive) -> User:
    return make_user("case.manager", role="facilitator")


def facts(**other: Any) -> NoticeFacts:
    given: dict[str, Any] = {"student": make_student(), "meeting_at": NOON, "received_at": NOON - timedelta(hours=30)}
    return NoticeFacts(**{**given, **other})


def test_a_notice_plans_its_meeting_if_nobody_did(facilitator: User) -> None:
    notice = deeds.log_notice(facts(room=make_room()), by=facilitator)
    meeting = notice.meeting
    assert meeting is not None
    assert (meeting.starts_at, meeting.ends_at - meeting.starts_at) == (NOON, timedelta(hours=1))
    codes = [entry.code for entry in Entry.objects.about(Subject.meeting(meeting.pk)).order_by("n")]
    assert codes == ["meeting", "notice"]


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(1440, "24 hours before"), (61, "1 hour 1 minute before"), (0, "0 minutes before"), (-30, "30 minutes after")],
)
def test_how_long_before_the_meeting_a_notice_came_is_said_in_words(minutes: int, told: str) -> None:
    notice = Notice(received_at=NOON - timedelta(minutes=minutes), meeting_at=NOON)
    assert notice_words(notice).by_time == f"{told} the meeting"


def test_a_notice_finds_the_meeting_that_is_planned_for_that_day(facilitator: User) -> None:
    student = make_student()
    planned = make_meeting(student, NOON + timedelta(hours=1))
    make_meeting(make_student("Ben"), NOON)
    notice = deeds.log_notice(facts(student=student), by=facilitator)
    assert notice.meeting == planned
    assert Meeting.objects.filter(student=student).count() == 1


def test_a_moved_meeting_tells_its_earlier_time_and_a_stale_form_is_told(facilitator: User) -> None:
    meeting = make_meeting()
    later = MeetingFacts(
        MeetingKind.IEP, meeting.student, NOON + timedelta(days=1), NOON + timedelta(days=1, hours=1), meeting.room
    )
    deeds.change_meeting(meeting.pk, later, 0, by=facilitator)
    meeting.refresh_from_db()
    assert (meeting.moved_from, meeting.starts_at) == (NOON, NOON + timedelta(days=1))
    with pytest.raises(StaleError):
        deeds.change_meeting(meeting.pk, later, 0, by=facilitator)


def test_a_meeting_keeps_its_student(facilitator: User) -> None:
    meeting = make_meeting()
    other = MeetingFacts(MeetingKind.IEP, make_student("Ben"), NOON, NOON + timedelta(hours=1), meeting.room)
    with pytest.raises(DeedError, match="keeps its student"):
        deeds.change_meeting(meeting.pk, other, 0, by=facilitator)


def test_a_cancelled_meeting_stays(facilitator: User) -> None:
    meeting = make_meeting()
    deeds.cancel_meeting(meeting.pk, by=facilitator)
    deeds.cancel_meeting(meeting.pk, by=facilitator)
    assert Entry.objects.filter(code="meeting-cancelled").count() == 1
    assert Meeting.objects.get().cancelled_at is not None


def test_what_was_entered_of_a_meeting_is_not_written_over_by_a_stale_form(facilitator: User) -> None:
    meeting = make_meeting()
    deeds.enter_parent_records(meeting.pk, ParentRecords.YES, "a phone", 0, by=facilitator)
    with pytest.raises(StaleError):
        deeds.enter_parent_records(meeting.pk, ParentRecords.NO, "", 0, by=facilitator)
    deeds.enter_parent_records(meeting.pk, ParentRecords.NO, "", by=facilitator)  # said in the meeting just now
    meeting.refresh_from_db()
    assert (meeting.parent_records, meeting.version) == ("no", 2)


def test_no_page_of_meetings_approves_denies_or_requests() -> None:
    """RSMo 162.686: a parent notifies. The Attorney General called a 'request' form the fault (2021)."""
    found = {
        f"{path.name}: {word}"
        for path in TEMPLATES.rglob("*.html")
        for word in re.findall(r"(?i)\b(?:approv|den[iy]|request|permit|grant)\w*", path.read_text())
    }
    assert not found


def test_a_notice_is_logged_with_four_fields(archive: Archive) -> None:
    make_student("Ana", "Torres", local_id="S-17")
    make_room()
    client = signed_in(archive, "case.manager", role="facilitator")
    page = check(client.get("/notices/new/").content.decode())
    shown = [node.get("name") for node in page.all("input", "select", "textarea") if node.get("type") != "hidden"]
    assert shown[:3] == ["student", "day", "at"]
    day = timezone.localdate() + timedelta(days=3)
    typed = {"student": "ana torres", "day": day.isoformat(), "at": "13:05", "kind": "iep", "once": "a" * 32}
    answer = client.post("/notices/new/", typed, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/meetings/")
    assert "The notice was logged" in check(answer.content.decode()).text
    again = client.post("/notices/new/", typed, follow=True)
    assert again.redirect_chain == answer.redirect_chain
    assert Notice.objects.count() == 1


def test_a_late_notice_is_marked_and_nothing_else(archive: Archive) -> None:
    make_student(local_id="S-17")
    client = signed_in(archive, "case.manager", role="facilitator")
    soon = timezone.localtime() + timedelta(hours=2)
    typed = {"student": "S-17", "day": soon.date(), "at": f"{soon:%H:%M}", "kind": "504", "once": "a" * 32}
    text = check(client.post("/notices/new/", typed, follow=True).content.decode()).text
    assert "late" in text
    assert "changes nothing for the parent" in text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("student", "Nobody", "No student here"),
        ("student", "", "required"),
        ("student", "Ana Torres", "Several students"),
        ("day", "31.12.2026", "valid date"),
        ("day", "", "required"),
        ("at", "25:00", "valid time"),
        ("received_day", "2199-01-01", "still to come"),
        ("device", "x" * 201, "at most 200"),
        ("device", "phone\u202e", "nobody can see"),
        ("kind", "party", "valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(
    archive: Archive, field: str, value: str, told: str
) -> None:
    for number in ("S-17", "S-18"):
        make_student("Ana", "Torres", local_id=number)
    client = signed_in(archive, "case.manager", role="facilitator")
    typed = {"student": "S-17", "day": "2026-12-24", "at": "13:05", "kind": "iep", "reason": "kept", "once": "a" * 32}
    answer = client.post("/notices/new/", {**typed, field: value})
    assert answer.status_code == 422
    page = check(answer.content.decode())
    assert told in page.text
    assert "kept" in page.text
    assert Notice.objects.count() == 0


def test_two_meetings_in_one_room_at_a_time_are_told_on_both_pages(archive: Archive) -> None:
    first, second = make_meeting(starts=NOON), make_meeting(starts=NOON + timedelta(minutes=59))
    after = make_meeting(starts=NOON + timedelta(minutes=119))
    make_meeting(starts=NOON, cancelled_at=NOON)
    client = signed_in(archive, "case.manager", role="facilitator")
    pages = {one.pk: check(client.get(f"/meetings/{one.pk}/").content.decode()).text for one in (first, second, after)}
    assert "at the same time: 12:59 pm to 1:59 pm." in pages[first.pk]
    assert "at the same time: 12:00 pm to 1:00 pm." in pages[second.pk]
    assert "at the same time" not in pages[after.pk]


def test_a_name_with_a_script_in_it_is_text(archive: Archive) -> None:
    meeting = make_meeting(make_student("<script>alert(1)</script>", "Torres"))
    client = signed_in(archive, "case.manager", role="facilitator")
    html = client.get(f"/meetings/{meeting.pk}/").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


def test_a_meeting_that_only_a_parent_recorded_shows_until_somebody_says_why(archive: Archive) -> None:
    """Guideline 5."""
    meeting = make_meeting(starts=timezone.now() - timedelta(minutes=30), parent_records="yes")
    client = signed_in(archive, "case.manager", role="facilitator")
    assert "press the button on the box now" in client.get(f"/meetings/{meeting.pk}/").content.decode()
    Meeting.objects.update(starts_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now() - timedelta(hours=1))
    assert "no box did" in client.get(f"/meetings/{meeting.pk}/").content.decode()
    answer = client.post(
        f"/meetings/{meeting.pk}/incident/new/",
        {"missing": "all", "recording": "", "cause": "not-ready", "explanation": "the box was at fault",
         "told": "the parent, at once", "done": "the box was mended", "version": "0", "once": "a" * 32},
        follow=True,
    )  # fmt: skip
    assert "incident record was entered" in check(answer.content.decode()).text
    text = check(client.get(f"/meetings/{meeting.pk}/").content.decode()).text
    assert "no box did" not in text
    assert "the box was at fault" in text


def test_the_calendar_and_the_day_sheet(archive: Archive) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    room = make_room()
    make_meeting(make_student("Ana", "Torres"), now)
    make_meeting(make_student("Ben", "Ash"), now + timedelta(minutes=30))
    client = signed_in(archive, "case.manager", role="facilitator")
    week = check(client.get("/meetings/").content.decode()).text
    assert "Ana Torres" in week
    day = timezone.localtime(now).date()
    sheet = check(client.get(f"/meetings/rooms/{room.pk}/?day={day}").content.decode()).text
    assert "overlaps another one" in sheet
    assert "Torres" not in sheet
    for wrong in ("x", "0000-01-01", "9999-12-31"):
        assert client.get(f"/meetings/?day={wrong}").status_code == 200


def test_a_facilitator_of_one_school_sees_its_meetings_only(archive: Archive) -> None:
    from archive.access.models import Grant  # noqa: PLC0415 - for this test alone
    from archive.access.scopes import ScopeType  # noqa: PLC0415 - the same
    from tests.archive.records.factories import make_school  # noqa: PLC0415 - the same

    school = make_school()
    mine = make_meeting(make_student("Ana", school=school), timezone.now())
    other = make_meeting(make_student("Ben"), timezone.now())
    client = signed_in(archive, "teacher")
    user = User.objects.get(username="teacher")
    for deed in (Deed.MEETINGS, Deed.PLAN):
        Grant.objects.create(user=user, deed=deed, scope_type=ScopeType.SCHOOL, scope_id=str(school.pk))
    text = client.get("/meetings/").content.decode()
    assert "Ana" in text
    assert "Ben" not in text
    assert client.get(f"/meetings/{mine.pk}/").status_code == 200
    assert client.get(f"/meetings/{other.pk}/").status_code == 403
    assert client.post("/notices/new/", {"student": "Ben Torres"}).status_code == 422
