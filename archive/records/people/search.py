"""Finding students and people by the begin of a name or by number, one page at a time, as far as a grant reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from archive.access.scopes import DISTRICT, Reach, Scope, ScopeType

from .models import Person, Student

PER_PAGE: Final = 50
Found = TypeVar("Found", Student, Person)


@dataclass(frozen=True)
class Page(Generic[Found]):
    """One page of a list in order of names."""

    rows: list[Found]
    next: str
    """What the address of the next page says after `after=`; empty on the last."""


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def reached(reach: Reach, student: str = "") -> Q:
    """Return the condition that a student lies in `reach`, for the students' table.

    For another table, `student` is the way to the student in it: `student`, or `meeting__student`.
    """
    way = f"{student}__" if student else ""
    condition = Q() if DISTRICT in reach.scopes else _within(reach.scopes, way)
    return condition & ~_within(reach.barred, way) if reach.barred else condition


def _within(scopes: frozenset[Scope], way: str) -> Q:
    students = [scope.id for scope in scopes if scope.type == ScopeType.STUDENT]
    schools = [scope.id for scope in scopes if scope.type == ScopeType.SCHOOL]
    condition = Q(**{f"{way}pk__in": students})
    return condition | Q(**{f"{way}school__in": schools}) if schools else condition


def page(rows: QuerySet[Found], text: str, after: str, number: str = "") -> Page[Found]:
    """Return the rows whose family name, given name or number begins with `text`, behind the row `after`."""
    rows = rows.order_by("family_name", "given_name", "pk")
    if text:
        first, _, rest = text.partition(" ")
        name = Q(family_name__istartswith=text) | Q(given_name__istartswith=text)
        if rest:
            name |= Q(given_name__istartswith=first, family_name__istartswith=rest)
        rows = rows.filter(name | Q(**{f"{number}__istartswith": text}) if number else name)
    last = rows.model._default_manager.filter(pk=after).first() if is_uuid(after) else None
    if last is not None:
        family, given = last.family_name, last.given_name
        rows = rows.filter(family_name__gte=family).filter(
            Q(family_name__gt=family)
            | Q(family_name=family, given_name__gt=given)
            | Q(family_name=family, given_name=given, pk__gt=last.pk)
        )
    found = list(rows[: PER_PAGE + 1])
    return Page(found[:PER_PAGE], str(found[PER_PAGE - 1].pk) if len(found) > PER_PAGE else "")
