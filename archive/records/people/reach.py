"""Which scopes hold a student, and whom a court order bars from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from archive.access.scopes import Scope
from archive.accounts.models import User
from archive.custody.clock import day_that_came, day_that_passed

from .models import Bar, Person, Right, RightKind, Student
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
    """Yield the students from whom a court order keeps the person of this account, or whoever named them as agent.

    A parent who works for the district has two accounts, and is kept away with both.

    34 CFR 99.4: either parent has full rights unless the agency has evidence of a court order that revokes them.
    """
    mine = set(Person.objects.filter(Q(user=user) | Q(work_user=user)).values_list("pk", flat=True))
    if not mine:
        # so it is with most accounts, and it is asked before every deed
        return
    theirs = Q(person__in=mine)
    agency = Right.objects.filter(
        theirs, kind=RightKind.AGENT, student=OuterRef("student"), named_by=OuterRef("person")
    )
    rows = Bar.objects.filter(theirs | Exists(agency)).select_related("person")
    bars = bars_in_force(rows)
    yield from (Scope.student(bar.student_id) for bar in bars if user.pk in accounts_of(bar.person))
    as_agent = {bar.student_id for bar in bars if user.pk not in accounts_of(bar.person)}
    if as_agent:
        yield from (Scope.student(student) for student, person in kept_away(as_agent) if person in mine)


def accounts_of(person: Person) -> set[UUID | None]:
    """Return the accounts of a person: the one that links open, and the one at work."""
    return {person.user_id, person.work_user_id}


def kept_away(students: Iterable[UUID]) -> set[tuple[UUID, UUID]]:
    """Return the pairs of student and person whom a court order keeps apart now.

    An agent is kept away with the parent who named them, unless they hold rights otherwise.
    """
    bars = bars_in_force(Bar.objects.filter(student__in=set(students)))
    direct = {(bar.student_id, bar.person_id) for bar in bars}
    if not direct:
        return set()
    today, around = timezone.localdate(), {student for student, _ in direct}
    rights = Right.objects.filter(student__in=around)
    held = [one for one in rights if one.holds_on(today) and (one.student_id, one.person_id) not in direct]
    own = {(one.student_id, one.person_id) for one in held if one.kind != RightKind.AGENT}
    agents = [one for one in rights if one.kind == RightKind.AGENT]
    named_otherwise = {
        (one.student_id, one.person_id)
        for one in agents
        if one.holds_on(today) and (one.student_id, one.named_by_id) in own
    }
    through = {(one.student_id, one.person_id) for one in agents if (one.student_id, one.named_by_id) in direct}
    return direct | through - own - named_otherwise


def is_kept_away(student: UUID, person: UUID) -> bool:
    """Tell whether a court order keeps this person from what is about this student now."""
    return (student, person) in kept_away([student])


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
    return holders([one for one in rights if one.person_id not in barred], orders, day)
