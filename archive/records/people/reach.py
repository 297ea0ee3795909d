"""Which scopes hold a student, and whom a court order bars from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from django.utils import timezone

from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.custody.clock import day_that_came, day_that_passed

from .models import Bar, Right, Student
from .rules import Holder, holders


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
    bars = bars_in_force(Bar.objects.filter(person__user=user))
    yield from (Scope.student(bar.student_id) for bar in bars)


def bars_in_force(bars: Iterable[Bar]) -> list[Bar]:
    """Return the court orders that hold, whatever a wrong clock says.

    One that had begun has begun, also where the clock was put back; none is over by a clock that may have leapt ahead.
    """
    today, rows = timezone.localdate(), list(bars)
    came = day_that_came() if any(one.valid_from > today for one in rows) else today
    over = any(one.valid_to is not None and one.valid_to < today for one in rows)
    passed = min(today, day_that_passed()) if over else today
    return [one for one in rows if one.valid_from <= came and (one.valid_to is None or one.valid_to >= passed)]


def holders_now(rights: Iterable[Right], bars: Iterable[Bar], day: date) -> list[Holder]:
    """Return who holds rights on `day`; a court order that holds now, whatever a wrong clock says, bars besides."""
    orders = list(bars)
    barred = {one.person_id for one in bars_in_force(orders)}
    return [one for one in holders(rights, orders, day) if one.person.pk not in barred]
