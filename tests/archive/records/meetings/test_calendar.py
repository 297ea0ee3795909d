"""Calendars: iCalendar and CSV, a dry run first, twice without a change, nothing deleted, hand changes kept."""

from __future__ import annotations

import contextlib
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.errors import DeedError, StaleError
from archive.records.meetings import deeds
from archive.records.meetings.calendar_deeds import look_at, take_in
from archive.records.meetings.calendar_file import Surroundings, read_calendar
from archive.records.meetings.deeds import MeetingFacts
from archive.records.meetings.models import Meeting, MeetingKind, ParentRecords
from archive.records.people.models import ImportRun
from tests.archive.page_fixtures import Arrive, make_user, signed_in
from tests.archive.records.factories import make_filing, make_room, make_student
from tests.support.archives import Archive

HEAD = "meeting_id,student_id,date,from,to,room,kind\n"
AROUND = Surroundings(frozenset({"s-17"}), timezone.make_aware, 60)


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{one}END:VEVENT\r\n" for one in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode()


def vevent(uid: str = "a@x", **fields: str) -> str:
    given = {
        "UID": uid,
        "SUMMARY": "IEP meeting S-17",
        "LOCATION": "Room 12",
        "DTSTART;TZID=America/Chicago": "20261124T130500",
        "DTEND;TZID=America/Chicago": "20261124T142000",
        **fields,
    }
    return "".join(f"{name}:{value}\r\n" for name, value in given.items() if value)


@pytest.fixture
def planner(archive: Archive) -> User:
    make_student("Ana", "Torres", local_id="S-17")
    make_room()
    return make_user("planner", Deed.PLAN)


def import_(data: bytes | str, by: User) -> ImportRun:
    run, _ = look_at(data.encode() if isinstance(data, str) else data, by=by)
    return take_in(run.pk, by=by)


@pytest.mark.parametrize(
    "data", [ics(vevent()), (HEAD + "m1,S-17,2026-11-24,13:05,14:20,Room 12,IEP\n").encode()], ids=["ics", "csv"]
)
def test_a_calendar_brings_meetings_and_twice_changes_nothing(planner: User, data: bytes) -> None:
    assert (import_(data, planner).added, Meeting.objects.count()) == (1, 1)
    meeting = Meeting.objects.get()
    assert (str(meeting.student), str(meeting.room), meeting.kind) == ("Ana Torres", "Room 12", "iep")
    assert timezone.localtime(meeting.starts_at).isoformat() == "2026-11-24T13:05:00-06:00"
    run = import_(data, planner)
    assert (run.added, run.changed, run.kept, run.missing, run.refused) == (0, 0, 0, 0, 0)


def test_a_moved_event_moves_its_meeting_and_a_cancelled_one_stays(planner: User) -> None:
    import_(ics(vevent()), planner)
    moved = vevent(
        **{"DTSTART;TZID=America/Chicago": "20261125T130500", "DTEND;TZID=America/Chicago": "20261125T142000"}
    )
    import_(ics(moved), planner)
    meeting = Meeting.objects.get()
    assert meeting.moved_from is not None
    assert meeting.starts_at - meeting.moved_from == timedelta(days=1)
    import_(ics(moved + "STATUS:CANCELLED\r\n"), planner)
    meeting.refresh_from_db()
    assert meeting.cancelled_at is not None


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("20261124T130500", "20261125T020500", "more than 12 hours"),
        ("99991231T230000", "99991231T235900", "not between"),
        ("00010101T000100", "00010101T010000", "not between"),
    ],
)
def test_no_calendar_plans_a_meeting_that_its_own_form_would_refuse(begin: str, end: str, said: str) -> None:
    event = vevent(**{"DTSTART;TZID=America/Chicago": begin, "DTEND;TZID=America/Chicago": end})
    day, of_csv = f"{begin[:4]}-{begin[4:6]}-{begin[6:8]}", said == "not between"
    rows = HEAD + f"m1,S-17,{day},{begin[9:11]}:{begin[11:13]},{end[9:11]}:{end[11:13]},Room 12,IEP\n"
    for data in (ics(event), *([rows.encode()] if of_csv else [])):
        read = read_calendar(data, AROUND)
        assert read.events == {}
        assert [said in problem.words for problem in read.problems] == [True]


def test_the_kind_that_a_filed_recording_had_is_kept_in_mind(planner: User, sealed: Arrive) -> None:
    import_(HEAD + "m1,S-17,2026-11-24,13:05,14:20,Room 12,IEP\n", planner)
    meeting = Meeting.objects.get()
    make_filing(sealed(seconds=1).id, meeting)
    import_(HEAD + "m1,S-17,2026-11-24,13:05,14:20,Room 12,504\n", planner)
    meeting.refresh_from_db()
    assert (meeting.kind, meeting.kinds_before) == ("504", ["iep"])


def test_what_is_gone_from_the_calendar_stays_here(planner: User) -> None:
    import_(ics(vevent(), vevent("b@x")), planner)
    assert import_(ics(vevent("b@x")), planner).missing == 1
    assert Meeting.objects.filter(cancelled_at=None).count() == 2


def test_a_meeting_to_come_that_the_calendar_lost_is_shown_until_somebody_cancels_it(planner: User) -> None:
    far = {"DTSTART;TZID=America/Chicago": "20991124T130500", "DTEND;TZID=America/Chicago": "20991124T142000"}
    import_(ics(vevent(), vevent("far@x", **far)), planner)
    _, found = look_at(ics(vevent("b@x")), by=planner)
    assert [one.source_id for one in found.gone] == ["far@x"], "what is over needs nothing"
    Meeting.objects.filter(source_id="far@x").update(cancelled_at=timezone.now())
    assert look_at(ics(vevent("b@x")), by=planner)[1].gone == []


def test_what_people_changed_here_is_kept(planner: User) -> None:
    import_(ics(vevent()), planner)
    meeting = Meeting.objects.get()
    later = meeting.starts_at + timedelta(hours=3)
    facts = MeetingFacts(MeetingKind.IEP, meeting.student, later, later + timedelta(hours=1), meeting.room)
    deeds.change_meeting(meeting.pk, facts, meeting.version, by=planner)
    assert import_(ics(vevent()), planner).kept == 1
    meeting.refresh_from_db()
    assert meeting.starts_at == later


def test_an_import_is_a_change_that_whoever_edits_meanwhile_is_told_of(planner: User) -> None:
    import_(ics(vevent()), planner)
    shown = Meeting.objects.get()
    import_(ics(vevent(LOCATION="Library")), planner)
    facts = MeetingFacts(MeetingKind.IEP, shown.student, shown.starts_at, shown.ends_at, shown.room)
    with pytest.raises(StaleError):
        deeds.change_meeting(shown.pk, facts, shown.version, by=planner)


def test_only_what_people_changed_is_kept_and_an_answer_at_the_opening_is_no_change_of_the_plan(planner: User) -> None:
    import_(ics(vevent()), planner)
    meeting = Meeting.objects.get()
    deeds.enter_parent_records(meeting.pk, ParentRecords.YES, "a phone", by=planner)
    elsewhere = MeetingFacts(MeetingKind.IEP, meeting.student, meeting.starts_at, meeting.ends_at, None, "at home")
    deeds.change_meeting(meeting.pk, elsewhere, meeting.version + 1, by=planner)
    moved = vevent(
        **{"DTSTART;TZID=America/Chicago": "20261125T130500", "DTEND;TZID=America/Chicago": "20261125T142000"}
    )
    run = import_(ics(moved), planner)
    assert (run.changed, run.kept) == (1, 1)
    now = Meeting.objects.get()
    assert (now.starts_at - meeting.starts_at, now.room, now.place) == (timedelta(days=1), None, "at home")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "first line"),
        (b"\xff\xfe", "UTF-8"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "cannot be read"),
        (b"a,b\n1,2\n", "first line"),
        (b"x" * (9 << 20), "MB"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(DeedError, match=told):
        read_calendar(data, AROUND)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (vevent(SUMMARY="IEP meeting"), "no student"),
        (vevent(UID=""), "no UID"),
        (vevent(RRULE="FREQ=DAILY"), "repeats"),
        (vevent(**{"DTSTART;TZID=America/Chicago": "", "DTSTART;VALUE=DATE": "20261124"}), "whole days"),
        (vevent(**{"DTEND;TZID=America/Chicago": "20261124T120000"}), "after its begin"),
    ],
)
def test_an_event_that_makes_no_sense_is_told_and_left_out(event: str, told: str) -> None:
    found = read_calendar(ics(event, vevent("ok@x")), AROUND)
    assert list(found.events) == ["ok@x"]
    assert told in found.problems[0].words


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("m1,S-99,2026-11-24,13:05,,Room 12,", "no student"),
        ("m1,S-17,24.11.2026,13:05,,Room 12,", "2026-11-24"),
        (",S-17,2026-11-24,13:05,,Room 12,", "meeting_id"),
        ("m1,S-17,2026-11-24,,,Room 12,", "from"),
        ("m1,S-17,2026-11-24,13:05,13:00,Room 12,", "after its begin"),
    ],
)
def test_a_row_that_makes_no_sense_is_told_with_its_line(row: str, told: str) -> None:
    found = read_calendar((HEAD + row + "\n").encode(), AROUND)
    (problem,) = found.problems
    assert problem.where == "line 2"
    assert told in problem.words


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for begin in (b"", b"BEGIN:VCALENDAR\r\n", HEAD.encode()):
        with contextlib.suppress(DeedError):
            assert read_calendar(begin + data, AROUND).source in {"icalendar", "csv"}


def test_the_pages_show_the_difference_and_take_it_in(archive: Archive) -> None:
    make_student(local_id="S-17")
    client = signed_in(archive, "planner", Deed.PLAN, Deed.MEETINGS)
    file: Any = io.BytesIO(ics(vevent(), vevent("b@x", SUMMARY="nobody")))
    file.name = "plan.ics"
    answer = client.post("/calendars/", {"file": file, "once": "a" * 32})
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "no student" in shown
    assert re.search(r"IEP meeting of student s-17, Tue Nov 24 2026, 1:05:00 pm CST, Room 12", shown)
    assert Meeting.objects.count() == 0
    client.post(answer.headers["Location"], {"once": "b" * 32})
    assert Meeting.objects.count() == 1
