"""A notice may come before the calendar: the import goes on with its meeting, and makes no second one."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.models import Entry
from archive.records.errors import DeedError
from archive.records.letters.models import Letter
from archive.records.meetings import deeds
from archive.records.meetings.calendar_deeds import look_at, take_in
from archive.records.meetings.calendar_joins import APART
from archive.records.meetings.deeds import MeetingFacts, NoticeFacts
from archive.records.meetings.models import Filing, Meeting, MeetingKind, Notice, OpeningEvent, OpeningEventKind
from archive.records.people.models import ImportRun, Student
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_filing, make_letter, make_meeting, make_room, make_student
from tests.support.archives import Archive

HEAD = "meeting_id,student_id,date,from,to,room,kind\n"
ROW = "m1,S-17,2026-11-24,13:05,14:20,Room 12,IEP\n"


def local(hour: int, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime(2026, 11, 24, hour, minute))  # noqa: DTZ001 - made aware here


@pytest.fixture
def planner(archive: Archive) -> User:
    make_student("Ana", "Torres", local_id="S-17")
    make_room()
    return make_user("planner", Deed.PLAN)


def log(by: User, at: datetime, **facts: Any) -> Notice:
    facts.setdefault("room", make_room())
    return deeds.log_notice(NoticeFacts(Student.objects.get(local_id="S-17"), at, local(8), **facts), by=by)


def import_(rows: str, by: User, answers: dict[str, str] | None = None) -> ImportRun:
    run, _ = look_at((HEAD + rows).encode(), by=by)
    return take_in(run.pk, answers, by=by)


def counts(run: ImportRun) -> tuple[int, ...]:
    return run.added, run.changed, run.kept, run.missing, run.refused, run.joined, run.asked


def test_a_calendar_goes_on_with_the_meeting_of_a_notice_and_a_second_import_changes_nothing(planner: User) -> None:
    notice = log(planner, local(13), device="a phone")
    run, found = look_at((HEAD + ROW).encode(), by=planner)
    assert [one.words.partition(": ")[2] for one in found.joined] == [
        "joins the meeting of the notice of Tue Nov 24 2026"
    ]
    assert Meeting.objects.get().source == "", "a dry run changes nothing"
    assert counts(take_in(run.pk, by=planner)) == (0, 0, 0, 0, 0, 1, 0)
    meeting = Meeting.objects.get()
    assert (meeting.pk, meeting.starts_at, meeting.ends_at) == (notice.meeting_id, local(13, 5), local(14, 20))
    assert (meeting.moved_from, meeting.parent_device) == (local(13), "a phone")
    notice.refresh_from_db()
    assert (notice.meeting, notice.meeting_at) == (meeting, local(13)), "the notice says what it said"
    assert counts(import_(ROW, planner)) == (0, 0, 0, 0, 0, 0, 0)
    assert Meeting.objects.count() == 1


def test_the_custody_log_says_that_a_meeting_goes_on_as_the_calendars(planner: User) -> None:
    log(planner, local(13))
    import_(ROW, planner)
    entry = Entry.objects.get(code="meeting-joined")
    assert (entry.subject_id, entry.actor_id) == (str(Meeting.objects.get().pk), str(planner.pk))
    assert json.loads(entry.detail) == {
        "source": "csv",
        "fields": "ends_at starts_at",
        "starts": "2026-11-24T19:05:00.000Z",
        "ends": "2026-11-24T20:20:00.000Z",
    }
    taken = json.loads(Entry.objects.get(code="calendar").detail)
    assert (taken["added"], taken["joined"], taken["asked"]) == (0, 1, 0)


def test_what_people_corrected_noted_and_filed_stays_at_the_meeting(planner: User, sealed: Arrive) -> None:
    notice = log(planner, local(13))
    meeting = Meeting.objects.get()
    facts = MeetingFacts(MeetingKind.SECTION_504, meeting.student, local(13, 30), local(14, 30), None, "the library")
    deeds.change_meeting(meeting.pk, facts, meeting.version, by=planner)
    make_filing(sealed(seconds=1).id, meeting)
    OpeningEvent.objects.create(
        meeting=meeting, kind=OpeningEventKind.NOTE, at=local(13, 31), received_at=local(13, 31), text="began"
    )
    # begins at another time, in another place: a person says that it is the same
    assert counts(import_(ROW, planner)) == (0, 0, 0, 0, 0, 0, 1)
    assert counts(import_(ROW, planner, {"m1": str(meeting.pk)})) == (0, 0, 1, 0, 0, 1, 0)
    now = Meeting.objects.get()
    assert (now.kind, now.starts_at, now.place) == ("504", local(13, 30), "the library")
    assert (Notice.objects.get().meeting, Filing.objects.get().meeting) == (now, now)
    assert (OpeningEvent.objects.get().meeting, notice.meeting_id) == (now, now.pk)
    assert counts(import_(ROW, planner)) == (0, 0, 1, 0, 0, 0, 0)


def test_of_what_the_calendar_does_not_say_what_people_said_stays(planner: User) -> None:
    log(planner, local(13, 5))
    import_("m1,S-17,2026-11-24,13:05,14:20,,\n", planner)
    for _ in range(2):
        meeting = Meeting.objects.get()
        assert (str(meeting.room), meeting.kind, meeting.ends_at) == ("Room 12", "iep", local(14, 20))
        assert counts(import_("m1,S-17,2026-11-24,13:05,14:20,,\n", planner)) == (0, 0, 1, 0, 0, 0, 0)


def test_two_that_fit_are_a_question_until_a_person_says_which_one_it_is(planner: User) -> None:
    ana = Student.objects.get(local_id="S-17")
    first, second = (make_meeting(ana, local(12, minute)) for minute in (30, 45))
    assert counts(import_(ROW, planner)) == (0, 0, 0, 0, 0, 0, 1)
    assert set(Meeting.objects.values_list("source", flat=True)) == {""}, "what nobody answered is left out"
    assert counts(import_(ROW, planner, {"m1": str(second.pk)})) == (0, 0, 0, 0, 0, 1, 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.source, second.source_id, second.starts_at) == ("", "m1", local(13, 5))


def test_a_person_may_say_that_it_is_another_meeting(planner: User) -> None:
    log(planner, local(9))
    assert counts(import_(ROW, planner)) == (0, 0, 0, 0, 0, 0, 1), "on the same day: perhaps it was moved"
    assert counts(import_(ROW, planner, {"m1": APART})) == (1, 0, 0, 0, 0, 0, 0)
    assert Meeting.objects.count() == 2
    assert counts(import_(ROW, planner)) == (0, 0, 0, 0, 0, 0, 0), "and nobody is asked again"


@pytest.mark.parametrize(
    ("at", "room", "joined", "asked"),
    [
        ((13, 5), "Room 9", 1, 0),
        ((12, 5), "Room 12", 1, 0),
        ((14, 5), "", 1, 0),
        ((14, 6), "Room 12", 0, 1),
        ((13, 0), "Room 9", 0, 1),
        ((37, 5), "Room 12", 0, 0),
    ],
    ids=["same begin", "an hour", "no place named", "more than an hour", "another room", "another day"],
)
def test_it_is_the_same_by_begin_and_by_place(
    planner: User, at: tuple[int, int], room: str, joined: int, asked: int
) -> None:
    begin = local(0) + timedelta(hours=at[0], minutes=at[1])
    log(planner, begin, room=make_room(room) if room else None)
    run = import_(ROW, planner)
    assert (run.joined, run.asked, run.added) == (joined, asked, 1 - joined - asked)


def test_a_canceled_meeting_and_another_students_are_nobodys_event_and_a_canceled_event_is_nobodys_meeting(
    planner: User,
) -> None:
    make_meeting(make_student("Ben", "Lee", local_id="S-18"), local(13, 5))
    make_meeting(Student.objects.get(local_id="S-17"), local(13, 5), cancelled_at=local(8))
    assert counts(import_(ROW, planner)) == (1, 0, 0, 0, 0, 0, 0)


def test_two_events_for_one_meeting_are_asked_about_and_it_is_only_one_of_them(planner: User) -> None:
    meeting = log(planner, local(13)).meeting
    assert meeting is not None
    rows = ROW + "m2,S-17,2026-11-24,12:50,14:20,Room 12,IEP\n"
    assert counts(import_(rows, planner)) == (0, 0, 0, 0, 0, 0, 2)
    with pytest.raises(DeedError, match="same meeting"):
        import_(rows, planner, {"m1": str(meeting.pk), "m2": str(meeting.pk)})
    assert counts(import_(rows, planner, {"m1": str(meeting.pk), "m2": APART})) == (1, 0, 0, 0, 0, 1, 0)


def test_an_answer_that_no_longer_fits_takes_nothing_in(planner: User) -> None:
    meeting = log(planner, local(9)).meeting
    assert meeting is not None
    deeds.cancel_meeting(meeting.pk, by=planner)
    with pytest.raises(DeedError, match="changed meanwhile"):
        import_(ROW, planner, {"m1": str(meeting.pk)})
    assert Meeting.objects.count() == 1


def test_a_letter_that_names_the_earlier_time_is_overtaken(planner: User) -> None:
    notice = log(planner, local(13))
    letter = make_letter(notice.student, about_type="meeting", about_id=str(notice.meeting_id))
    import_(ROW, planner)
    assert Letter.objects.get(pk=letter.pk).overtaken_at is not None


def test_the_pages_say_which_meeting_it_joins_and_ask_where_two_fit(archive: Archive) -> None:
    ana = make_student("Ana", "Torres", local_id="S-17")
    client = signed_in(archive, "planner", Deed.PLAN, Deed.MEETINGS)
    log(User.objects.get(username="planner"), local(13))
    later = [make_meeting(ana, local(15, minute)) for minute in (0, 20)]
    file: Any = io.BytesIO((HEAD + ROW + "m2,S-17,2026-11-24,15:10,16:00,Room 12,IEP\n").encode())
    file.name = "plan.csv"
    here = client.post("/calendars/", {"file": file, "once": "a" * 32}).headers["Location"]
    page = check(client.get(here).content.decode())
    text = page.one("main").text
    assert "joins the meeting of the notice of Tue Nov 24 2026" in text
    assert "begin Tue Nov 24 2026, 1:00 pm CST becomes Tue Nov 24 2026, 1:05 pm CST" in text
    field = page.one("select")
    assert "Ana Torres: which meeting is the calendar's IEP meeting" in text
    wrong = client.post(here, {"once": "b" * 32, field.get("name"): "x"})
    assert (wrong.status_code, Meeting.objects.filter(source="csv").count()) == (422, 0)
    client.post(here, {"once": "c" * 32, field.get("name"): str(later[1].pk)})
    assert Meeting.objects.count() == 3
    assert Meeting.objects.get(source_id="m2").pk == later[1].pk
    check(client.get(here).content.decode())


def test_the_page_says_what_was_left_out_since_nobody_decided(archive: Archive) -> None:
    make_student("Ana", "Torres", local_id="S-17")
    client = signed_in(archive, "planner", Deed.PLAN, Deed.MEETINGS)
    log(User.objects.get(username="planner"), local(9))
    file: Any = io.BytesIO((HEAD + ROW).encode())
    file.name = "plan.csv"
    here = client.post("/calendars/", {"file": file, "once": "a" * 32}).headers["Location"]
    answer = client.post(here, {"once": "b" * 32}, follow=True)
    assert "1 event was left out, since nobody said which meeting it is" in answer.content.decode()
    assert Meeting.objects.count() == 1
