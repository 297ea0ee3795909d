"""An archive in which every page of the records has something to show, in each of its states."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Model
from django.utils import timezone

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.records.holds.models import Matter
from archive.records.incidents.models import Incident
from archive.records.letters.deeds import approve_text
from archive.records.letters.models import LetterKind, Template
from archive.records.meetings.models import Meeting, Notice
from archive.records.people.models import Person, Student
from archive.records.public_lists.deeds import enter_holding, enter_position, enter_training, publish
from archive.records.public_lists.rules import ListKind
from archive.records.requests.models import AccessRequest
from tests.archive.records.factories import (
    grant_student,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_student,
)
from tests.archive.ui.records_life import fill_life
from tests.archive.ui.records_outside import fill_outside
from tests.archive.ui.records_requests import fill_requests
from tests.archive.ui.records_scene import Scene, make_scene
from tests.archive.ui.records_transfers import fill_transfers

EMPTY = {
    "students": "/students/",
    "students-not-found": "/students/?q=Zz",
    "persons": "/people/",
    "roster": "/rosters/",
    "calendar": "/meetings/",
    "tray": "/tray/",
    "letters": "/letters/",
    "texts": "/letters/texts/",
    "requests": "/requests/",
    "asked": "/requests/asked/",
    "my-rooms": "/my-rooms/",
    "lists": "/lists/",
    "list-records": "/lists/records/",
    "list-notice": "/lists/annual-notice/",
    "access": "/access/",
    "access-review": "/access/review/",
    "holds": "/holds/",
    "retention": "/retention/",
    "retention-ahead": "/retention/ahead/",
    "destructions": "/destructions/",
    "disclosures": "/disclosures/",
    "outside-recordings": "/outside-recordings/",
    "transfers": "/transfers/",
    "redactions": "/redactions/",
    "today": "/",
    "readiness": "/readiness/",
}
"""Pages that are there before anything is."""
WRONG = {
    "student-new": "/students/new/",
    "person-new": "/people/new/",
    "roster": "/rosters/",
    "notice-new": "/notices/new/",
    "meeting-new": "/meetings/new/",
    "calendar-import": "/calendars/",
    "request-new": "/requests/new/",
    "amendment-new": "/amendments/new/",
    "grant-new": "/access/new/",
    "text-new": "/letters/texts/new/",
    "matter-new": "/holds/new/",
    "series-new": "/retention/new/",
    "outside-new": "/outside-recordings/new/",
    "transfer-new": "/transfers/new/",
    "record-type-new": "/lists/types/new/",
    "public-records-answer": "/lists/answers/new/",
}
"""Forms that are wrong when they are sent as they come."""
STALE: dict[str, type[Model]] = {
    "student-edit": Student,
    "person-edit": Person,
    "person-account": Person,
    "meeting-edit": Meeting,
    "notice-correct": Notice,
    "incident-edit": Incident,
    "matter-edit": Matter,
    "request-close": AccessRequest,
}
"""Forms whose row somebody else may change meanwhile."""
MANY = {
    "students": "/students/",
    "persons": "/people/",
    "calendar": "/meetings/",
    "requests": "/requests/",
    "asked": "/requests/asked/",
    "my-rooms": "/my-rooms/",
    "access": "/access/",
    "today": "/",
}
"""Lists that may be long."""
PARENTS = ("own", "own-record", "own-recording", "own-outside", "own-slip", "own-transcript", "own-refused")
"""Pages that parents see once they are signed in."""


def someone_else_saves(model: type[Model]) -> None:
    """Let every row of `model` have been changed meanwhile."""
    model._default_manager.update(version=F("version") + 1)


def make_many() -> None:
    """Make as many of each thing as a list shows at once, and more."""
    today = timezone.now().replace(hour=20, minute=0, second=0, microsecond=0)
    for number in range(60):
        student = make_student(f"Student {number:02d}", "Many")
        person = make_person(f"Parent {number:02d}", "Many")
        if number < 12:
            make_right(person, student)
            make_meeting(student, today + timedelta(minutes=number), facilitator=None)
            make_request(student, person)
            grant_student(User.objects.get(username="p.smith"), student, Deed.LIST, Deed.LOOK)


def fill_lists(s: Scene) -> dict[str, str]:
    """Enter what the lists that are kept for everybody lack; return each page's address by its name."""
    enter_holding("", "Server room, 1 Main St", "Records custodian", by=s.viewer)
    papers = enter_holding("Papers of meetings", "Office, Lincoln Elementary", "Secretary", by=s.viewer)
    enter_position(s.colleague.pk, "Special education teacher", by=s.viewer)
    enter_training(s.colleague.pk, s.now.date(), "FERPA and IDEA, by counsel", by=s.viewer)
    publish(ListKind.RECORDS, by=s.viewer)
    annual = Template.objects.filter(kind=LetterKind.ANNUAL_NOTICE, language="es").get()
    approve_text(annual.pk, by=s.viewer)

    return {
        "lists": "/lists/",
        **{f"list-{what}": f"/lists/{what}/" for what in ("records", "people", "training", "annual-notice")},
        "list-publish": "/lists/records/publish/",
        "record-type-new": "/lists/types/new/",
        "record-type-end": f"/lists/types/{papers.pk}/end/",
        "position": f"/lists/people/{s.colleague.pk}/position/",
        "training": f"/lists/people/{s.colleague.pk}/training/",
        "public-records-answer": "/lists/answers/new/",
    }


def fill_records(recordings: list[str], viewer: User) -> dict[str, str]:
    """Make one of each thing around three sealed `recordings`; return each page's address by its name."""
    scene, pages = make_scene(recordings, viewer)
    return (
        pages
        | fill_requests(scene)
        | fill_lists(scene)
        | fill_life(scene)
        | fill_outside(scene)
        | fill_transfers(scene)
    )
