"""Students, people, meetings and letters, around which all other pages of the records have something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from archive.accounts.models import User
from archive.recordings.models import Recording
from archive.records.holds.models import Matter
from archive.records.incidents.models import Incident, IncidentLetter
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.meetings import calendar_deeds
from archive.records.meetings.models import (
    Meeting,
    Notice,
    NoticeCorrection,
    OpeningEvent,
    OpeningEventKind,
    ParentRecords,
)
from archive.records.people.import_deeds import look_at, take_in
from archive.records.people.models import Person, PersonKind, Student
from archive.rooms.models import Room
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import (
    make_bar,
    make_filing,
    make_letter,
    make_matter,
    make_meeting,
    make_person,
    make_right,
    make_room,
    make_school,
    make_student,
)

LONG_NAME = "Maximiliana Guadalupe"
ROSTER = (
    "student_id,given_name,family_name,birth_date,school,parent_id,parent_given_name,parent_family_name,relation\n"
    "9001,{given},Ash,2014-03-02,Lincoln Elementary,p1,Bo,Ash,parent\n"
    "9002,Cy,Birch,2013-07-30,Lincoln Elementary,p2,Di,Birch,guardian\n"
)
CALENDAR = (
    "meeting_id,student_id,date,from,to,room,kind\n"
    "m-1,9001,2026-12-01,13:00,14:00,Room 12,IEP\n"
    "m-2,no-such-student,2026-12-01,13:00,14:00,Room 12,IEP\n"
)


@dataclass(frozen=True)
class Scene:
    """What the parts of the records share."""

    first: Recording
    second: Recording
    third: str
    now: datetime
    viewer: User
    """Who looks at the pages."""
    colleague: User
    room: Room
    student: Student
    adult: Student
    parent: Person
    meeting: Meeting
    doubtful: Meeting
    """One whose filing somebody doubts."""
    delivered: Letter
    matter: Matter


def make_scene(recordings: list[str], viewer: User) -> tuple[Scene, dict[str, str]]:
    """Make them around three sealed `recordings`; return them, and the address of each of their pages by its name."""
    first, second = (Recording.objects.get(pk=pk) for pk in recordings[:2])
    third = recordings[2]
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    room, colleague = make_room(), make_user("p.smith", role="facilitator")
    student = make_student(school=make_school(), given=LONG_NAME, family="Hernández-Villanueva")
    adult = make_student("Jo", "Lee", birth_date=now.date() - timedelta(days=365 * 18 + 10))
    parent = make_person(email="rosa.torres@example.org", phone="555 0100", address="1 Main St\nRolla, MO")
    make_right(parent, student)
    make_bar(make_person("Luis"), student)
    make_person("Kim", "Vo", kind=PersonKind.STAFF, position="Special education teacher")

    meeting = make_meeting(student, now - timedelta(hours=1), room=room, facilitator=colleague)
    meeting.parent_records, meeting.parent_device = ParentRecords.YES, "a phone on the table"
    meeting.save()
    for ahead in (timedelta(days=3), timedelta(hours=2)):
        Notice.objects.create(
            student=student,
            meeting=meeting,
            received_at=meeting.starts_at - ahead,
            meeting_at=meeting.starts_at,
            given_by=parent,
            device="a phone",
            reason="To hear it again at home.",
        )
    notice = Notice.objects.filter(meeting=meeting).first()
    assert notice is not None
    NoticeCorrection.objects.create(
        notice=notice,
        at=now,
        by=colleague,
        why="The names stand side by side.",
        student=student,
        meeting=meeting,
        received_at=notice.received_at - timedelta(minutes=30),
        meeting_at=meeting.starts_at - timedelta(hours=4),
        given_by=parent,
        device="a tablet",
        reason="To hear it again.",
    )
    OpeningEvent.objects.create(
        meeting=meeting, kind=OpeningEventKind.OPENED, at=meeting.starts_at, received_at=now, by=colleague
    )
    OpeningEvent.objects.create(
        meeting=meeting,
        kind=OpeningEventKind.TOLD,
        at=meeting.starts_at + timedelta(minutes=1),
        received_at=now,
        who="Rosa Torres, mother",
        mode="phone",
        interpreter="Spanish, on the phone",
    )
    doubtful = make_meeting(adult, now - timedelta(hours=2), room=room, parent_records=ParentRecords.YES)
    unmet = make_meeting(adult, now - timedelta(hours=26), room=room, parent_records=ParentRecords.YES)
    cancelled = make_meeting(student, now + timedelta(hours=3), room=None, place="remote", cancelled_at=now)
    make_meeting(student, now + timedelta(days=1), moved_from=now + timedelta(days=2))
    filing = make_filing(first.pk, meeting)
    unconfirmed = make_filing(third, cancelled, confirmed=False)
    doubted = make_filing(second.pk, doubtful, end_asked_at=now, end_asked_by=colleague, end_reason="x")

    letter = make_letter(student)
    letter.person = parent
    letter.about_type, letter.about_id, letter.overtaken_at = "meeting", str(meeting.pk), now
    letter.save(update_fields=["person", "about_type", "about_id", "overtaken_at"])
    delivered = make_letter(student)
    delivered.delivered_at, delivered.delivered_how = now, "by mail"
    delivered.save(update_fields=["delivered_at", "delivered_how"])
    text = Template.objects.filter(kind=LetterKind.ACKNOWLEDGMENT, language="es").get()

    taken, _ = look_at(ROSTER.format(given="Ann").encode(), by=viewer)
    take_in(taken.pk, by=viewer)
    Student.objects.filter(source_id="9002").update(given_name="Cyrus", corrected=["given_name"])
    differs = ROSTER.format(given="Anna") + "9003,,,\n"
    looked_at, _ = look_at(differs.encode(), by=viewer)
    calendar, _ = calendar_deeds.look_at(CALENDAR.encode(), by=viewer)
    right, bar = student.rights.get(), student.bars.get()
    said = {"cause": "no-press", "explanation": "Nobody pressed.", "told": "Rosa Torres, at once", "done": "A sign."}
    Incident.objects.create(meeting=meeting, missing="part", recording=first, found="0:15 lost", entered_at=now, **said)
    told_meeting = make_meeting(student, now - timedelta(hours=30), room=room, parent_records=ParentRecords.YES)
    about_it = Incident.objects.create(meeting=told_meeting, missing="all", entered_at=now, entered_by=viewer, **said)
    IncidentLetter.objects.create(incident=about_it, person=parent, letter=delivered)
    scene = Scene(
        first,
        second,
        third,
        now,
        viewer,
        colleague,
        room,
        student,
        adult,
        parent,
        meeting,
        doubtful,
        delivered,
        make_matter(),
    )
    return scene, {
        "today": "/",
        "students": "/students/",
        "students-found": "/students/?q=Her",
        "student": f"/students/{student.pk}/",
        "student-18": f"/students/{adult.pk}/",
        "student-edit": f"/students/{student.pk}/edit/",
        "right-new": f"/students/{student.pk}/rights/new/",
        "right-end": f"/students/{student.pk}/rights/{right.pk}/end/",
        "bar-new": f"/students/{student.pk}/bars/new/",
        "bar-end": f"/students/{student.pk}/bars/{bar.pk}/end/",
        "majority": f"/students/{adult.pk}/at-18/",
        "persons": "/people/",
        "person": f"/people/{parent.pk}/",
        "person-account": f"/people/{parent.pk}/account/",
        "person-edit": f"/people/{parent.pk}/edit/",
        "roster-many": "/rosters/",
        "roster-difference": f"/rosters/{looked_at.pk}/",
        "roster-taken": f"/rosters/{taken.pk}/",
        "calendar": "/meetings/",
        "day-sheet": f"/meetings/rooms/{room.pk}/?day={timezone.localtime(meeting.starts_at).date():%Y-%m-%d}",
        "day-sheet-none": f"/meetings/rooms/{room.pk}/?day=2025-01-01",
        "meeting": f"/meetings/{meeting.pk}/",
        "notice-correct": f"/meetings/{meeting.pk}/notices/{notice.pk}/correct/",
        "meeting-unmet": f"/meetings/{unmet.pk}/",
        "meeting-cancelled": f"/meetings/{cancelled.pk}/",
        "meeting-edit": f"/meetings/{meeting.pk}/edit/",
        "meeting-cancel": f"/meetings/{meeting.pk}/cancel/",
        "parent-records": f"/meetings/{meeting.pk}/parent-records/",
        "incident-new": f"/meetings/{unmet.pk}/incident/new/",
        "incident-new-gaps": f"/meetings/{doubtful.pk}/incident/new/",
        "incident": f"/meetings/{meeting.pk}/incident/",
        "incident-told": f"/meetings/{told_meeting.pk}/incident/",
        "incident-edit": f"/meetings/{meeting.pk}/incident/edit/",
        "incident-letter": f"/meetings/{meeting.pk}/incident/letter/",
        "meeting-explained": f"/meetings/{told_meeting.pk}/",
        "opening": f"/meetings/{meeting.pk}/opening/",
        "meeting-letter": f"/meetings/{meeting.pk}/letter/",
        "calendar-difference": f"/calendars/{calendar.pk}/",
        "tray": "/tray/",
        "file": f"/recordings/{first.pk}/file/",
        "filing-confirm": f"/recordings/{third}/filings/{unconfirmed.pk}/confirm/",
        "filing-wrong": f"/recordings/{first.pk}/filings/{filing.pk}/wrong/",
        "filing-end": f"/recordings/{second.pk}/filings/{doubted.pk}/end/",
        "filing-keep": f"/recordings/{second.pk}/filings/{doubted.pk}/keep/",
        "letters": "/letters/",
        "texts": "/letters/texts/",
        "readiness": "/readiness/",
        "my-rooms": "/my-rooms/",
        "letter": f"/letters/{letter.pk}/",
        "letter-delivered": f"/letters/{delivered.pk}/",
        "delivery": f"/letters/{letter.pk}/delivery/",
        "text": f"/letters/texts/{text.pk}/",
    }
