"""Giving and ending access to a student's recordings, and the quarterly review. Grants are archive.access's rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.access.people import GrantFacts, grant, revoke
from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import NOTHING, Actor
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.people.models import Student

from .custody_kinds import REVIEW
from .models import Review
from .rules import LONGEST, STAFF_DEEDS


@dataclass(frozen=True)
class AccessFacts:
    """Who gets access to whose recordings, and why."""

    student: Student
    user: User
    what: str
    """One of rules.STAFF_DEEDS."""
    purpose: str
    """The legitimate educational interest (34 CFR 99.31(a)(1))."""
    position: str
    """34 CFR 300.623(d)."""
    trained_on: date
    """34 CFR 300.623(c)."""
    until: date
    """Last day."""


def give_access(facts: AccessFacts, *, by: User) -> list[Grant]:
    """Give access to a student's recordings until the end of a day. Raises DeedError."""
    today = timezone.localdate()
    if facts.until < today:
        raise DeedError("This day has passed.", field="until")
    if facts.until > today + LONGEST:
        raise DeedError(f"Choose a day within {LONGEST.days} days; it can be granted again then.", field="until")
    if facts.trained_on > today:
        raise DeedError("This day is still to come.", field="trained_on")
    if facts.user.pk == by.pk:
        raise DeedError("Nobody gives access to themselves. Ask a colleague.", field="user")
    until = timezone.make_aware(datetime.combine(facts.until + timedelta(days=1), time()))
    why = GrantFacts(facts.purpose, facts.position, facts.trained_on)
    scope = Scope.student(facts.student.pk)
    with one_deed():
        return [
            grant(facts.user, deed, by=Actor.user(by.pk), scope=scope, until=until, facts=why)
            for deed in sorted(STAFF_DEEDS[facts.what])
        ]


def end_access(user: UUID, student: UUID, *, by: User) -> int:
    """End all access of a person to a student's recordings now; return how many grants ended."""
    with one_deed():
        scope = Scope.student(student)
        held = Grant.objects.filter(user=user).over(scope).in_time(timezone.now()).select_related("user")
        grants = list(held)
        if not grants:
            raise UnknownRecordError("this person has no access to this student's recordings")
        for deed in {one.deed for one in grants}:
            revoke(grants[0].user, Deed(deed), by=Actor.user(by.pk), scope=scope)
    return len(grants)


def enter_review(quarter: str, remarks: str, *, ended: int, by: User) -> Review:
    """Enter that all grants of a quarter were gone through."""
    with one_deed():
        if Review.objects.filter(quarter=quarter).exists():
            raise DeedError("The grants of this quarter were reviewed already.")
        grants = Grant.objects.at(timezone.now()).count()
        record(REVIEW, actor=Actor.user(by.pk), subject=NOTHING, quarter=quarter, grants=grants, ended=ended)
        return Review.objects.create(
            quarter=quarter, reviewed_at=timezone.now(), by=by, grants=grants, ended=ended, remarks=remarks
        )
