"""How far a grant reaches: the whole district, a school, a student, or one recording.

This app knows none of the tables that say which student a recording is about. The apps above register what tells it,
when Django starts: a resolver for each type of subject, the recordings of a scope, and what is barred from whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db import models
from django.db.models import Q

from archive.accounts.models import User
from archive.custody.actors import Subject, SubjectType


class ScopeType(models.TextChoices):
    """What a grant can be bounded to."""

    DISTRICT = "district", "the whole district"
    SCHOOL = "school", "one school"
    STUDENT = "student", "one student"
    RECORDING = "recording", "one recording"


@dataclass(frozen=True)
class Scope:
    """What a grant reaches."""

    type: ScopeType
    id: str = ""
    """Identifier of the school, student or recording; empty for the district."""

    @classmethod
    def school(cls, pk: object) -> Scope:
        """Return a school as a scope."""
        return cls(ScopeType.SCHOOL, str(pk))

    @classmethod
    def student(cls, pk: object) -> Scope:
        """Return a student as a scope."""
        return cls(ScopeType.STUDENT, str(pk))

    @classmethod
    def recording(cls, pk: str) -> Scope:
        """Return a recording as a scope."""
        return cls(ScopeType.RECORDING, pk)


DISTRICT: Final = Scope(ScopeType.DISTRICT)


@dataclass(frozen=True)
class Reach:
    """How far somebody may do a deed: for lists, so that they show nothing that is refused."""

    scopes: frozenset[Scope]
    """What grants reach."""
    barred: frozenset[Scope] = frozenset()
    """What is taken out of that, however far the grants reach."""


Resolver = Callable[[str], Iterable[Scope]]
"""Returns the scopes that hold a subject, given its identifier."""
Bars = Callable[[User], Iterable[Scope]]
"""Returns the scopes that are barred from a person, whatever was granted."""
_resolvers: Final[dict[SubjectType, Resolver]] = {}
_bars: Final[list[Bars]] = []
_recordings_in: Final[list[Callable[[Iterable[Scope]], Q]]] = []


def register_resolver(subject_type: SubjectType, resolver: Resolver) -> None:
    """Have `resolver` tell the scopes of this type of subject; raise ValueError if another one does."""
    if _resolvers.setdefault(subject_type, resolver) is not resolver:
        raise ValueError(f"two resolvers tell the scopes of {subject_type}")


def register_bars(bars: Bars) -> None:
    """Have `bars` asked before every grant."""
    _bars.append(bars)


def register_recordings(recordings_in: Callable[[Iterable[Scope]], Q]) -> None:
    """Have `recordings_in` tell which recordings lie in schools and students, as a condition of their table."""
    _recordings_in.append(recordings_in)


def scopes_of(subject: Subject) -> frozenset[Scope]:
    """Return every scope that holds `subject`; the district holds all."""
    found = {DISTRICT}
    if subject.type == SubjectType.RECORDING:
        found.add(Scope.recording(subject.id))
    if subject.type == SubjectType.STUDENT:
        found.add(Scope.student(subject.id))
    resolver = _resolvers.get(SubjectType(subject.type))
    return frozenset(found | set(resolver(subject.id) if resolver else ()))


def barred_scopes(user: User) -> frozenset[Scope]:
    """Return the scopes that are barred from `user` now."""
    return frozenset(scope for bars in _bars for scope in bars(user))


def recordings_in(reach: Reach) -> Q:
    """Return the condition that a recording lies in `reach`, for the recordings' table."""
    condition = Q() if DISTRICT in reach.scopes else _recordings_of(reach.scopes)
    return condition & ~_recordings_of(reach.barred) if reach.barred else condition


def _recordings_of(scopes: frozenset[Scope]) -> Q:
    condition = Q(pk__in=[scope.id for scope in scopes if scope.type == ScopeType.RECORDING])
    for one in _recordings_in:
        condition |= one(scopes)
    return condition
