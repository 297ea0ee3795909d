"""Which scopes hold a student, and whom a court order bars from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.custody.clock import has_come

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


def barred_students(user: User) -> Iterator[Scope]:
    """Yield the students from whom a court order keeps the person of this account.

    34 CFR 99.4: either parent has full rights unless the agency has evidence of a court order that revokes them.
    """
    today = timezone.localdate()
    # one that had begun has begun, also where the clock was put back
    begun = Q(valid_from__lte=today) | Q(valid_from__lte=TruncDate(has_come()))
    bars = Bar.objects.filter(begun, Q(valid_to=None) | Q(valid_to__gte=today), person__user=user)
    yield from (Scope.student(pk) for pk in bars.values_list("student", flat=True))
