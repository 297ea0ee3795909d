"""How far a grant reaches: the whole district, a school, a student, or one recording.

This app knows none of the tables that say which student a recording is about. The apps above register what tells it,
when Django starts: a resolver for each type of subject, the recordings of a scope, and vetoes.
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
Resolver = Callable[[str], Iterable[Scope]]
"""Returns the scopes that hold a subject, given its identifier."""
Veto = Callable[[User, Subject], str]
"""Returns why a person may do nothing at all to a subject, as a stable code; empty where nothing stands against it."""
_resolvers: Final[dict[SubjectType, Resolver]] = {}
_vetoes: Final[list[Veto]] = []
Closed = Callable[[User], Iterable[Scope]]
"""Returns the scopes that are closed to a person by vetoes: what lists leave out."""
_closed: Final[list[Closed]] = []
_recordings_in: Final[list[Callable[[Iterable[Scope]], Q]]] = []
_closed_recordings: Final[list[Callable[[User], Q]]] = []


def register_resolver(subject_type: SubjectType, resolver: Resolver) -> None:
    """Have `resolver` tell the scopes of this type of subject; raise ValueError if another one does."""
    if _resolvers.setdefault(subject_type, resolver) is not resolver:
        raise ValueError(f"two resolvers tell the scopes of {subject_type}")


def register_veto(veto: Veto, closed: Closed) -> None:
    """Have `veto` asked before every grant; `closed` tells the scopes that it closes to a person, for lists."""
    _vetoes.append(veto)
    _closed.append(closed)


def register_recordings(recordings_in: Callable[[Iterable[Scope]], Q], closed: Callable[[User], Q]) -> None:
    """Have `recordings_in` tell which recordings lie in schools and students, as a condition of their table.

    `closed` tells in the same way which recordings vetoes close to a person, without asking the database by itself.
    """
    _recordings_in.append(recordings_in)
    _closed_recordings.append(closed)


def scopes_of(subject: Subject) -> frozenset[Scope]:
    """Return every scope that holds `subject`; the district holds all."""
    found = {DISTRICT}
    if subject.type == SubjectType.RECORDING:
        found.add(Scope.recording(subject.id))
    if subject.type == SubjectType.STUDENT:
        found.add(Scope.student(subject.id))
    resolver = _resolvers.get(SubjectType(subject.type))
    return frozenset(found | set(resolver(subject.id) if resolver else ()))


def veto(user: User, subject: Subject) -> str:
    """Return why `user` may do nothing to `subject`, or an empty text."""
    return next((why for one in _vetoes if (why := one(user, subject))), "")


def closed_scopes(user: User) -> frozenset[Scope]:
    """Return the scopes that are closed to `user`, whatever was granted."""
    return frozenset(scope for closed in _closed for scope in closed(user))


def closed_recordings(user: User) -> Q:
    """Return the condition that a recording is closed to `user`, whatever was granted."""
    condition = Q(pk__in=[])
    for one in _closed_recordings:
        condition |= one(user)
    return condition


def recordings_in(scopes: Iterable[Scope]) -> Q:
    """Return the condition that a recording lies in one of `scopes`, for the recordings' table."""
    scopes = frozenset(scopes)
    if DISTRICT in scopes:
        return Q()
    condition = Q(pk__in=[scope.id for scope in scopes if scope.type == ScopeType.RECORDING])
    for one in _recordings_in:
        condition |= one(scopes)
    return condition
