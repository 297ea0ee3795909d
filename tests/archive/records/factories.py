"""One of each thing that records are about, made straight in the tables: what is tested makes its own by deeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.records.holds.models import Held, Matter
from archive.records.letters.models import Letter, LetterKind, Template
from archive.records.meetings.models import Filing, Meeting, MeetingKind
from archive.records.people.models import Bar, Person, PersonKind, Right, RightKind, School, Student
from archive.records.requests.models import AccessRequest, Wish
from archive.rooms.models import Room

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
"""Tue Nov 24 2026, 12:00 in Chicago."""
_numbers: Iterator[int] = itertools.count(1)


def make_school(name: str = "Lincoln Elementary") -> School:
    return School.objects.get_or_create(name=name)[0]


def make_student(given: str = "Ana", family: str = "Torres", **fields: Any) -> Student:
    fields.setdefault("birth_date", date(2015, 5, 31))
    fields.setdefault("local_id", f"S{next(_numbers):05d}")
    return Student.objects.create(given_name=given, family_name=family, **fields)


def make_person(given: str = "Rosa", family: str = "Torres", **fields: Any) -> Person:
    fields.setdefault("kind", PersonKind.FAMILY)
    return Person.objects.create(given_name=given, family_name=family, **fields)


def make_right(person: Person, student: Student, kind: RightKind = RightKind.PARENT, **fields: Any) -> Right:
    fields.setdefault("valid_from", date(2020, 1, 1))
    return Right.objects.create(person=person, student=student, kind=kind, basis="birth certificate", **fields)


def make_bar(person: Person, student: Student, **fields: Any) -> Bar:
    fields.setdefault("valid_from", date.today() - timedelta(days=1))  # noqa: DTZ011 - a day of the site
    return Bar.objects.create(person=person, student=student, basis="Circuit Court, 2026-01-05, no. 17", **fields)


def make_letter(student: Student | None = None, kind: LetterKind = LetterKind.ACKNOWLEDGMENT, **fields: Any) -> Letter:
    fields |= {"subject": "About", "body": "One.\n\nTwo.", "made_at": NOON}
    if fields.get("delivered_at"):
        fields["delivered_how"] = "by hand"
    template = Template.objects.filter(kind=kind, language="en").get()
    return Letter.objects.create(template=template, student=student, **fields)


def make_room(name: str = "Room 12") -> Room:
    return Room.objects.get_or_create(name=name)[0]


def make_meeting(student: Student | None = None, starts: datetime = NOON, minutes: int = 60, **fields: Any) -> Meeting:
    fields.setdefault("kind", MeetingKind.IEP)
    fields.setdefault("room", make_room())
    ends = starts + timedelta(minutes=minutes)
    return Meeting.objects.create(student=student or make_student(), starts_at=starts, ends_at=ends, **fields)


def make_filing(recording: str, meeting: Meeting, *, confirmed: bool = True, **fields: Any) -> Filing:
    """A filing that room and time made, and one person confirmed."""
    fields.setdefault("confirmed_at", NOON if confirmed else None)
    return Filing.objects.create(recording_id=recording, meeting=meeting, filed_at=NOON, **fields)


def make_account(person: Person) -> User:
    person.user = User.objects.create_user(f"user{next(_numbers)}", "only for tests 2468")
    person.save()
    return person.user


def grant_student(user: User, student: Student, *deeds: Deed) -> None:
    Grant.objects.bulk_create(
        Grant(user=user, deed=deed, scope_type=ScopeType.STUDENT, scope_id=str(student.pk)) for deed in deeds
    )


def make_request(student: Student, person: Person, **fields: Any) -> AccessRequest:
    fields.setdefault("received_on", date(2026, 11, 2))
    return AccessRequest.objects.create(student=student, person=person, wish=Wish.LISTEN, **fields)


def make_matter(title: str = "Torres v. District", **fields: Any) -> Matter:
    fields.setdefault("valid_from", NOON.date())
    return Matter.objects.create(title=title, reason="a lawsuit", owner="Counsel Lee", opened_at=NOON, **fields)


def make_hold(matter: Matter, **what: Any) -> Held:
    return Held.objects.create(matter=matter, added_at=NOON, **what)
