"""Lists show nothing that is refused, and all that is not: they and `may` are two readings of the same grants."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.access.decisions import may, reach_of
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.routes import ROUTES
from archive.access.scopes import ScopeType, recordings_in
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.models import Recording
from archive.records.holds.models import Matter
from archive.records.letters.models import Letter
from archive.records.letters.views import letters_of
from archive.records.meetings.models import Meeting
from archive.records.meetings.search import meetings_of
from archive.records.people.models import Person, Student
from archive.records.people.search import reached
from tests.archive.access.table import addresses, place
from tests.archive.access.test_table import everything
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import (
    NOON,
    grant_student,
    make_bar,
    make_filing,
    make_hold,
    make_letter,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_school,
    make_student,
)
from tests.support.archives import Archive

NAME = "Zuzana"
"""The student's given name, and on no page by chance."""
LISTS = {
    "pages:students",
    "pages:persons",
    "pages:person",
    "pages:meetings",
    "pages:tray",
    "pages:file",
    "pages:letters",
    "pages:grants",
    "pages:grant-review",
    "pages:requests",
    "pages:asked",
    "pages:my-rooms",
    "pages:matter",
    "pages:recordings",
    "pages:today",
}
"""Lists on which whoever is not barred finds the student or a recording of the student."""


def fill_lists(student: Student, filed: str, known: dict[str, str]) -> None:
    """Put the student onto every list."""
    parent, now = make_person(f"{NAME}'s mother"), timezone.localtime().replace(hour=12, minute=0)
    make_right(parent, student)
    # the page of this person is about another student as well
    Student.objects.filter(pk=known["student"]).update(given_name="Ben")
    make_right(Person.objects.get(pk=known["person"]), student, valid_to=date(2021, 1, 1))
    make_filing(filed, make_meeting(student, starts=now))
    make_filing(known["recording"], make_meeting(student, starts=now), confirmed=False)
    Letter.objects.filter(pk=make_letter(student).pk).update(subject=f"About {student}")
    grant_student(make_user("teacher"), student, Deed.LISTEN)
    make_request(student, parent, logged_by=User.objects.get(username="m.jones"))
    matter = Matter.objects.get(pk=known["matter"])
    make_hold(matter, student=student)
    make_hold(matter, recording_id=filed)


def pages_with(client: Any, known: dict[str, str], *words: str) -> set[str]:
    """Return the names of the pages that are shown and have one of `words` in them."""
    found = set()
    for address, name in addresses():
        if "GET" not in ROUTES[name].methods or not isinstance(ROUTES[name].needs, Deed):
            continue
        answer = client.get(place(address, known))
        body = b"".join(answer) if answer.streaming else answer.content
        if answer.status_code == 200 and any(word.encode() in body for word in words):
            found.add(name)
    return found


def test_no_page_names_a_student_from_whom_a_court_order_bars_the_reader(
    archive: Archive, sealed: Arrive, custodian: Any
) -> None:
    other, filed = sealed(seconds=1).id, sealed(seconds=2).id
    known = everything(archive.keys.box, other)
    student = make_student(NAME)
    fill_lists(student, filed, known)
    assert pages_with(custodian, known, NAME, filed) >= LISTS, "each of these lists would show it"
    reader = User.objects.get(username="m.jones")
    make_bar(make_person("Mary", family="Jones", user=reader), student)
    for there in (f"/students/{student.pk}/", f"/recordings/{filed}/"):
        assert custodian.get(there).status_code == 403, there
    assert pages_with(custodian, known, NAME, filed) == set()


@pytest.mark.parametrize("scope", ["district", "school", "student", "recording"])
@pytest.mark.parametrize("barred", [False, True])
def test_a_list_holds_just_what_its_deed_may_be_done_to(
    archive: Archive, arrive: Arrive, scope: str, barred: bool
) -> None:
    school = make_school()
    students = [make_student("Ana", school=school), make_student("Ben", school=school), make_student("Cy")]
    recordings = [arrive(seconds=1).id for _ in students] + [arrive(seconds=1).id]
    for student, recording in zip(students, recordings, strict=False):
        make_filing(recording, make_meeting(student))
        make_letter(student)
    make_filing(recordings[0], make_meeting(students[1], starts=NOON + timedelta(days=1)))
    user = make_user("ann")
    ids = {"district": "", "school": str(school.pk), "student": str(students[0].pk), "recording": recordings[0]}
    Grant.objects.bulk_create(
        Grant(user=user, deed=deed, scope_type=ScopeType(scope), scope_id=ids[scope]) for deed in Deed
    )
    if barred:
        make_bar(make_person("Mary", family="Jones", user=user), students[0])

    def allowed(deed: Deed, subjects: list[Subject]) -> set[str]:
        return {one.id for one in subjects if may(user, deed, one).allowed}

    rows = Student.objects.filter(reached(reach_of(user, Deed.PEOPLE)))
    assert {str(one.pk) for one in rows} == allowed(Deed.PEOPLE, [Subject.student(one.pk) for one in students])
    heard = Recording.objects.filter(recordings_in(reach_of(user, Deed.LISTEN)))
    assert {one.pk for one in heard} == allowed(Deed.LISTEN, [Subject.recording(one) for one in recordings])
    meetings = [Subject.meeting(one.pk) for one in Meeting.objects.all()]
    assert {str(one.pk) for one in meetings_of(user)} == allowed(Deed.MEETINGS, meetings)
    letters = [Subject.letter(one.pk) for one in Letter.objects.all()]
    assert {str(one.pk) for one in letters_of(user)} == allowed(Deed.LETTERS, letters)
