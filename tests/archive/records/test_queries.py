"""A page of the records asks the database about as often for many rows as for a few."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.access.deeds import ROLES, Deed
from archive.accounts.models import User
from archive.records.meetings.models import Meeting
from archive.records.people.models import Person, Student
from archive.records.transcripts.deeds import Facts, bring
from archive.records.transcripts.models import Language, Source
from tests.archive.page_fixtures import Arrive, make_user
from tests.archive.records.factories import (
    grant_student,
    make_account,
    make_filing,
    make_hold,
    make_letter,
    make_matter,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_school,
    make_student,
)
from tests.support.archives import Archive

MOST = {
    "/": 55,
    "/students/": 10,
    "/people/": 12,
    "/meetings/": 16,
    "/requests/": 16,
    "/letters/": 14,
    "/letters/texts/": 10,
    "/access/": 16,
    "/access/review/": 14,
    "/tray/": 14,
    "/recordings/": 17,
    "/students/{student}/": 14,
    "/people/{person}/": 16,
    "/meetings/{meeting}/": 34,
    "/students/{student}/record-of-access/": 16,
}
"""Address of a page: the most queries that it may take, with sign-in and access."""
OWN = {"/own/": 24, "/own/{student}/record-of-access/": 20}
"""The same of a parent's pages."""


def add(recordings: list[str], parent: Person, staff: User) -> None:
    """One more of each thing, and of those that a page about one shows several of, one more of the first student's."""
    now, first = timezone.now(), Student.objects.order_by("pk").first()
    student = make_student(school=make_school())
    person = make_person()
    make_right(person, student)
    make_request(student, person)
    make_letter(student)
    grant_student(staff, student, Deed.LIST, Deed.LOOK)
    meeting = make_meeting(student, now, facilitator=staff)
    make_hold(make_matter(), student=student)
    grant_student(parent.user or staff, student, Deed.OWN, Deed.LOOK)
    for recording in recordings:
        make_filing(recording, meeting, confirmed=student.pk.int % 2 == 0)
    if first is not None:
        make_right(person, first)
        make_request(first, parent)
        again = make_meeting(first, now + timedelta(minutes=Meeting.objects.count()))
        for recording in recordings:
            make_filing(recording, again)


def counts(client: Any, pages: dict[str, int], names: dict[str, str]) -> dict[str, int]:
    found = {}
    for address in pages:
        there = address.format(**names)
        client.get(there)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(there, follow=True).status_code == 200, there
        found[address] = len(asked)
    return found


def test_the_pages_of_a_recording_ask_as_often_for_many_cues_as_for_a_few(archive: Archive, sealed: Arrive) -> None:
    client, by, counted = archive.client(), make_user("carol", *ROLES["custodian"]), []
    client.force_login(by)
    for cues in (2, 500):
        made = sealed(seconds=2)
        lines = [f"00:00.{place:03d} --> 00:01.{place:03d}\nword {place}\n" for place in range(cues)]
        data = "\n".join(["WEBVTT\n", *lines]).encode()
        bring(made.id, data, 0, Facts(Source.CART, Language.EN, "a captioner"), by=by)
        pages = {"/recordings/{recording}/": 80, "/recordings/{recording}/transcript/": 30}
        counted.append((counts(client, pages, {"recording": made.id}), pages))
    (few, most), (many, _) = counted
    assert few == many
    assert {page: many[page] for page in most if many[page] > most[page]} == {}


def test_no_page_asks_once_a_row(archive: Archive, sealed: Arrive) -> None:
    """One query a row would be 30 more; ten more are what a page of several lists may differ by."""
    recordings = [sealed(seconds=1).id for _ in range(2)]
    parent, staff = make_person("Pia"), make_user("p.smith", *ROLES["facilitator"])
    make_account(parent)
    custodian = make_user("m.jones", *ROLES["custodian"])
    add(recordings, parent, staff)
    student = Student.objects.get()
    make_right(parent, student)
    names = {
        "student": str(student.pk),
        "person": str(parent.pk),
        "meeting": str(student.meetings.values_list("pk", flat=True)[0]),
    }
    clients = {"custodian": archive.client(), "parent": archive.client()}
    clients["custodian"].force_login(custodian)
    assert parent.user is not None
    clients["parent"].force_login(parent.user)
    for client in clients.values():
        for recording in recordings:
            client.get(f"/recordings/{recording}/")
    few = counts(clients["custodian"], MOST, names) | counts(clients["parent"], OWN, names)
    for _ in range(30):
        add(recordings, parent, staff)
    many = counts(clients["custodian"], MOST, names) | counts(clients["parent"], OWN, names)
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page] + 10}
    assert grown == {}
    assert {page: many[page] for page, most in (MOST | OWN).items() if many[page] > most} == {}
