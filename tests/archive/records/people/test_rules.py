"""Who holds rights, and when they pass: 34 CFR 99.4, 99.5, 300.320(c), 300.625."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.records.people.models import Bar, Person, Right, RightKind, Student
from archive.records.people.rules import TOLD_AHEAD, held_until, holders, majority, majority_tasks

DAY = date(2026, 11, 24)
MOTHER, FATHER, AUNT = Person(given_name="Rosa"), Person(given_name="Luis"), Person(given_name="Carla")


def right(person: Person, kind: RightKind = RightKind.PARENT, first: int = -10, last: int | None = None) -> Right:
    end = None if last is None else DAY + timedelta(days=last)
    named_by = MOTHER if kind == RightKind.AGENT else None
    return Right(person=person, kind=kind, named_by=named_by, valid_from=DAY + timedelta(days=first), valid_to=end)


def bar(person: Person, first: int = -1, last: int | None = None) -> Bar:
    end = None if last is None else DAY + timedelta(days=last)
    return Bar(person=person, valid_from=DAY + timedelta(days=first), valid_to=end)


def test_either_parent_holds_full_rights() -> None:
    assert [one.person for one in holders([right(MOTHER), right(FATHER)], [], DAY)] == [MOTHER, FATHER]


def test_a_court_order_bars_one_parent_and_not_the_other() -> None:
    assert [one.person for one in holders([right(MOTHER), right(FATHER)], [bar(FATHER)], DAY)] == [MOTHER]


def test_a_barred_parent_does_not_come_back_through_another_ground() -> None:
    rights = [right(MOTHER), right(FATHER), right(FATHER, RightKind.AGENT)]
    assert [one.person for one in holders(rights, [bar(FATHER)], DAY)] == [MOTHER]


@pytest.mark.parametrize(
    ("mother", "bars", "held"),
    [
        (right(MOTHER), [], True),
        (right(MOTHER), [bar(MOTHER)], False),
        (right(MOTHER, last=-1), [], False),
        (right(MOTHER, RightKind.AGENT), [], False),
    ],
)
def test_an_agent_holds_rights_as_long_as_the_parent_does_who_named_them(
    mother: Right, bars: list[Bar], held: bool
) -> None:
    found = holders([mother, right(AUNT, RightKind.AGENT)], bars, DAY)
    assert (AUNT in [one.person for one in found]) is held


def test_an_agent_who_is_a_guardian_as_well_keeps_those_rights() -> None:
    rights = [right(MOTHER), right(AUNT, RightKind.AGENT), right(AUNT, RightKind.GUARDIAN)]
    assert [(one.person, one.grounds) for one in holders(rights, [bar(MOTHER)], DAY)] == [(AUNT, (RightKind.GUARDIAN,))]


@pytest.mark.parametrize(
    ("rights", "last"),
    [
        ([right(FATHER)], None),
        ([], -1),
        ([right(FATHER, last=5)], 5),
        ([right(FATHER, last=5), right(FATHER, RightKind.GUARDIAN, first=6, last=9)], 9),
        ([right(FATHER, last=5), right(FATHER, RightKind.GUARDIAN, first=7)], 5),
        ([right(MOTHER, last=3), right(FATHER, RightKind.AGENT)], 3),
    ],
)
def test_rights_end_with_the_last_day_without_a_break(rights: list[Right], last: int | None) -> None:
    assert held_until(FATHER, rights, [], DAY) == (None if last is None else DAY + timedelta(days=last))


@pytest.mark.parametrize(("first", "last", "holds"), [(0, 0, True), (-5, 0, True), (-5, -1, False), (1, None, False)])
def test_rights_hold_from_their_first_to_their_last_day(first: int, last: int | None, holds: bool) -> None:
    assert bool(holders([right(MOTHER, first=first, last=last)], [], DAY)) is holds


@pytest.mark.parametrize(("first", "last", "barred"), [(0, 0, True), (-5, -1, False), (1, None, False)])
def test_a_bar_holds_from_its_first_to_its_last_day(first: int, last: int | None, barred: bool) -> None:
    assert (holders([right(MOTHER)], [bar(MOTHER, first, last)], DAY) == []) is barred


@given(st.dates(date(1950, 1, 1), date(2060, 12, 31)))
def test_the_rights_pass_at_the_18th_birthday_whatever_the_day(born: date) -> None:
    on = majority(born)
    assert on.year == born.year + 18
    assert (on.month, on.day) == (born.month, born.day) or (born.month, born.day, on.month, on.day) == (2, 29, 3, 1)


@pytest.mark.parametrize(
    ("away", "listed", "late"),
    [(TOLD_AHEAD.days + 1, False, None), (TOLD_AHEAD.days, True, False), (0, True, False), (-1, True, True)],
)
def test_the_task_appears_a_year_ahead_and_stays_until_somebody_decides(
    away: int, listed: bool, late: bool | None
) -> None:
    on = DAY + timedelta(days=away)
    student = Student(given_name="Ana", birth_date=on.replace(year=on.year - 18))
    tasks = majority_tasks([student], DAY)
    assert [task.late for task in tasks] == ([late] if listed else [])
    student.rights_decided_on = DAY
    assert majority_tasks([student], DAY) == []


def test_a_student_without_a_birth_date_has_no_such_task() -> None:
    assert majority_tasks([Student(given_name="Ana")], DAY) == []
