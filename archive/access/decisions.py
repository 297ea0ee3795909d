"""The only place that decides who may do what. Nothing follows from what somebody is, only from what was granted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone

from archive.accounts.models import User
from archive.custody.actors import NOTHING, Subject, SubjectType

from .deeds import OF_NOTHING, OF_ONE_RECORDING, Deed
from .models import Grant
from .scopes import DISTRICT, Reach, Scope, barred_scopes, recordings_in, scopes_of

GRANTED: Final = "granted"


@dataclass(frozen=True)
class Decision:
    """Whether somebody may do something."""

    allowed: bool
    reason: str
    """A stable code; it stands in the custody entry of a refusal: `granted`, `not-signed-in`, `account-ended`,
    `no-grant`, `barred`."""


def may(actor: User | AnonymousUser, deed: Deed, subject: Subject = NOTHING) -> Decision:
    """Decide whether `actor` may do `deed` to `subject` now; without a subject, whether to anything at all.

    What a court order bars from somebody stands before every grant. Raises ValueError for a deed that does not fit its
    subject: that is a defect of the caller, never an answer.
    """
    of_recording = subject.type in {SubjectType.RECORDING, SubjectType.OUTSIDE}
    if (deed in OF_ONE_RECORDING and not of_recording) or (deed in OF_NOTHING and subject != NOTHING):
        raise ValueError(f"{deed} is not done to {subject}")
    if not isinstance(actor, User):
        return Decision(allowed=False, reason="not-signed-in")
    if not actor.is_active:
        return Decision(allowed=False, reason="account-ended")
    if subject == NOTHING:
        granted = deed in granted_deeds(actor)
    else:
        reach = reach_of(actor, deed)
        around = _scopes_around(subject, reach)
        if not reach.barred.isdisjoint(around):
            return Decision(allowed=False, reason="barred")
        granted = not reach.scopes.isdisjoint(around)
    return Decision(allowed=granted, reason=GRANTED if granted else "no-grant")


def may_each(actor: User | AnonymousUser, deeds: Iterable[Deed], subject: Subject) -> dict[Deed, bool]:
    """Return whether `may` allows each of `deeds` to be done to `subject`, in as many queries as one of them takes."""
    reaches = reaches_of(actor, *deeds)
    around = _scopes_around(subject, *reaches.values())
    return {
        deed: reach.barred.isdisjoint(around) and not reach.scopes.isdisjoint(around) for deed, reach in reaches.items()
    }


def _scopes_around(subject: Subject, *reaches: Reach) -> frozenset[Scope]:
    """Return the scopes that hold `subject`, as far as they can matter to these reaches."""
    if all(not reach.barred and reach.scopes <= {DISTRICT} for reach in reaches):
        # the district holds every subject, and which students this one is about changes nothing
        return frozenset({DISTRICT})
    return scopes_of(subject)


def granted_deeds(actor: User | AnonymousUser) -> frozenset[Deed]:
    """Return what `actor` may do at all, to whatever: for menus, so that they offer nothing that is refused."""
    if not isinstance(actor, User) or not actor.is_active:
        return frozenset()
    grants = Grant.objects.filter(user=actor).at(timezone.now())
    return frozenset(Deed(deed) for deed in grants.values_list("deed", flat=True))


def reach_of(actor: User | AnonymousUser, deed: Deed) -> Reach:
    """Return how far `actor` may do `deed`: for lists, so that they show nothing that is refused."""
    return reaches_of(actor, deed)[deed]


def reaches_of(actor: User | AnonymousUser, *deeds: Deed) -> dict[Deed, Reach]:
    """Return the same of several deeds, in two queries."""
    if not isinstance(actor, User) or not actor.is_active:
        return dict.fromkeys(deeds, Reach(frozenset()))
    barred = barred_scopes(actor)
    granted: dict[Deed, set[Scope]] = {deed: set() for deed in deeds}
    for one in Grant.objects.filter(user=actor, deed__in=deeds).at(timezone.now()):
        granted[Deed(one.deed)].add(one.scope)
    return {deed: Reach(frozenset(scopes - barred), barred) for deed, scopes in granted.items()}


def reached_recordings(actor: User | AnonymousUser, deed: Deed) -> Q:
    """Return the condition that `may` lets `actor` do `deed` to a recording, for lists: no row leads to a refusal."""
    return recordings_in(reach_of(actor, deed))
