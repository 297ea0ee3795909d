"""Whether two accounts are surely two people: for deeds that take two.

Whoever gives out the link of an account could follow it, choose the password and set the second step up: then one
person would be both. So an account stands for everybody who gave out a link to it, and for whom their accounts stand
for in turn. That ends once an operator at the archive's host gives it a new password and takes the second step away:
what was chosen by those links opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from archive.accounts.models import User
from archive.custody.actors import ActorType, SubjectType
from archive.custody.models import Entry

from .custody_kinds import ACCOUNT_ANEW, INVITATION


def not_surely_others(user: User, accounts: Iterable[UUID]) -> set[UUID]:
    """Return those of `accounts` that may be in the hands of whoever `user` is; their own account is one of them."""
    asked = set(accounts)
    if not asked - {user.pk}:
        return asked
    givers = _givers({str(pk) for pk in asked | {user.pk}})
    own = _hands(str(user.pk), givers)
    return {pk for pk in asked if not own.isdisjoint(_hands(str(pk), givers))}


def _givers(accounts: set[str]) -> dict[str, set[str]]:
    """Return who gave out links to these accounts, and to the accounts of those, as far as it goes."""
    found: dict[str, set[str]] = {}
    while accounts:
        found |= {account: set() for account in accounts}
        about = Entry.objects.filter(subject_type=SubjectType.USER, subject_id__in=accounts)
        told = about.filter(code__in=[INVITATION.code, ACCOUNT_ANEW.code]).order_by("n")
        for code, account, actor_type, actor in told.values_list("code", "subject_id", "actor_type", "actor_id"):
            if code == ACCOUNT_ANEW.code:
                found[account].clear()
            elif actor_type == ActorType.USER:
                found[account].add(actor)
        accounts = {giver for account in accounts for giver in found[account]} - found.keys()
    return found


def _hands(account: str, givers: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), {account}
    while waiting:
        found |= waiting
        waiting = {giver for one in waiting for giver in givers[one]} - found
    return found
