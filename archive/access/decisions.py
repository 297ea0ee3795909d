"""The only place that decides who may do what. Nothing follows from what somebody is, only from what was granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from archive.accounts.models import User
from archive.custody.actors import NOTHING, Subject, SubjectType

from .deeds import OF_ONE_RECORDING, Deed
from .models import Grant

Reason = Literal["granted", "not-signed-in", "account-ended", "no-grant"]


@dataclass(frozen=True)
class Decision:
    """Whether somebody may do something."""

    allowed: bool
    reason: Reason
    """A stable code; it stands in the custody entry of a refusal."""


def may(actor: User | AnonymousUser, deed: Deed, subject: Subject = NOTHING) -> Decision:
    """Decide whether `actor` may do `deed` to `subject` now.

    Raises ValueError for a deed that does not fit its subject: that is a defect of the caller, never an answer.
    """
    if (deed in OF_ONE_RECORDING) != (subject.type == SubjectType.RECORDING):
        raise ValueError(f"{deed} is not done to {subject}")
    if not isinstance(actor, User):
        return Decision(allowed=False, reason="not-signed-in")
    if not actor.is_active:
        return Decision(allowed=False, reason="account-ended")
    granted = deed in granted_deeds(actor)
    return Decision(allowed=granted, reason="granted" if granted else "no-grant")


def granted_deeds(actor: User | AnonymousUser) -> frozenset[Deed]:
    """Return what `actor` may do with recordings at all: for menus, so that they offer nothing that is refused."""
    if not isinstance(actor, User) or not actor.is_active:
        return frozenset()
    grants = Grant.objects.filter(user=actor).at(timezone.now())
    return frozenset(Deed(deed) for deed in grants.values_list("deed", flat=True))
