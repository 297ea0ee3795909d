"""Who holds rights over a student's records, and when they pass to the student. Pure; sections cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from .models import Bar, Person, Right, RightKind, Student

MAJORITY_YEARS: Final = 18
"""34 CFR 99.5(a): the rights pass to the student at 18; 34 CFR 300.520 and 300.625 for IDEA records."""
_DAY: Final = timedelta(days=1)
TOLD_AHEAD: Final = timedelta(days=365)
"""34 CFR 300.320(c): one year before, the student must be told; so the task appears a year ahead."""


def majority(born: date) -> date:
    """Return the 18th birthday; for who was born on February 29, March 1 of a year that has none."""
    try:
        return born.replace(year=born.year + MAJORITY_YEARS)
    except ValueError:
        return date(born.year + MAJORITY_YEARS, 3, 1)


@dataclass(frozen=True)
class MajorityTask:
    """Somebody must decide what follows from a student's 18th birthday; nothing is lost or given by the day itself."""

    student: Student
    on: date
    """The birthday."""
    late: bool
    """Whether it has passed."""


def majority_tasks(students: Iterable[Student], today: date) -> list[MajorityTask]:
    """Return the open tasks, the earliest first: from a year ahead, and until a person decided.

    34 CFR 99.5, 300.320(c), 300.625.
    """
    due = [
        MajorityTask(student, on, on < today)
        for student in students
        if student.birth_date is not None
        and student.rights_decided_on is None
        and (on := majority(student.birth_date)) <= today + TOLD_AHEAD
    ]
    return sorted(due, key=lambda task: (task.on, str(task.student)))


@dataclass(frozen=True)
class Holder:
    """Somebody who holds rights over a student's records."""

    person: Person
    grounds: tuple[RightKind, ...]
    """On what grounds."""


def holders(rights: Iterable[Right], bars: Iterable[Bar], day: date) -> list[Holder]:
    """Return who holds rights on `day`: everybody with a right that holds, but nobody whom a court order bars.

    34 CFR 99.4: either parent has full rights, unless there is a court order or law that revokes them. 34 CFR
    300.613(b)(3): an agent represents the parent, and so holds rights for as long as that parent does.
    """
    barred = {bar.person_id for bar in bars if bar.valid_from <= day and (bar.valid_to is None or day <= bar.valid_to)}
    held = [right for right in rights if right.holds_on(day) and right.person_id not in barred]
    own = {right.person_id for right in held if right.kind != RightKind.AGENT}
    grounds: dict[Person, list[RightKind]] = {}
    for right in held:
        if right.kind != RightKind.AGENT or right.named_by_id in own:
            grounds.setdefault(right.person, []).append(RightKind(right.kind))
    return [Holder(person, tuple(kinds)) for person, kinds in grounds.items()]


def held_until(person: Person, rights: Iterable[Right], bars: Iterable[Bar], today: date) -> date | None:
    """Return the last day on which `person` holds rights without a break from `today` on; None where no end is known.

    It is the day before `today` where the person holds none now.
    """
    known, orders = list(rights), list(bars)

    def holds(day: date) -> bool:
        return any(one.person == person for one in holders(known, orders, day))

    days = {today - _DAY} | {one.valid_to for one in known if one.valid_to is not None and one.valid_to >= today}
    return next((day for day in sorted(days) if not holds(day + _DAY)), None)
