"""Which scopes hold a student, and whom a court order bars from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.access.scopes import Scope, scopes_of
from archive.accounts.models import User
from archive.custody.actors import Subject

from .models import Bar, Right, Student


def scopes_of_students(students: Iterable[object]) -> Iterator[Scope]:
    """Yield the scopes that hold any of these students: each itself, and its school."""
    for pk, school in Student.objects.filter(pk__in=list(students)).values_list("pk", "school"):
        yield Scope.student(pk)
        if school is not None:
            yield Scope.school(school)


def scopes_of_student(student: str) -> Iterable[Scope]:
    """Return the scopes that hold a student."""
    return scopes_of_students([student])


def scopes_of_person(person: str) -> Iterable[Scope]:
    """Return the scopes that hold the students over whose records a person holds or held rights."""
    return scopes_of_students(Right.objects.filter(person_id=person).values_list("student", flat=True))


def barred(user: User, subject: Subject) -> str:
    """Return `barred` where a court order keeps the person of this account from a student that `subject` is about.

    34 CFR 99.4: either parent has full rights unless the agency has evidence of a court order that revokes them.
    """
    closed = set(closed_to(user))
    return "barred" if closed and not closed.isdisjoint(scopes_of(subject)) else ""


def closed_to(user: User) -> Iterator[Scope]:
    """Yield the students whom a court order closes to the person of this account today."""
    yield from map(Scope.student, bars_against(user).values_list("student", flat=True))


def bars_against(user: User) -> QuerySet[Bar]:
    """Return the court orders that bar the person of this account today."""
    today = timezone.localdate()
    return Bar.objects.filter(Q(valid_to=None) | Q(valid_to__gte=today), person__user=user, valid_from__lte=today)
