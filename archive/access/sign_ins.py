"""Custody entries of sign-ins, and of how people sign in. What was typed is in none of them: it may be a password."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest

from archive.accounts.models import User
from archive.accounts.sessions import how
from archive.accounts.throttle import WINDOW
from archive.core.deeds import one_deed
from archive.custody.actors import NETWORK, NOTHING, Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry

from .custody_kinds import FACTOR, FACTOR_END, PASSWORD, RECOVERY_CODE, SESSIONS_END, SIGN_IN, SIGN_IN_REFUSED

_log = logging.getLogger(__name__)


def signed_in(request: HttpRequest, user: User, **_: object) -> None:
    """Enter a sign-in."""
    record(SIGN_IN, actor=Actor.user(user.pk), subject=Subject.user(user.pk), how=how(request, user))


def refused(credentials: dict[str, Any], **_: object) -> None:
    """Enter a sign-in that failed; the throttle bounds how many a stranger can make."""
    record(SIGN_IN_REFUSED, actor=NETWORK, subject=_account(str(credentials.get("username", ""))), why="wrong")


def throttled(who: str | User, **_: object) -> None:
    """Enter, once for each account in a while, that attempts are no longer looked at."""
    subject = Subject.user(who.pk) if isinstance(who, User) else _account(who)
    with one_deed():
        last = Entry.objects.about(subject).filter(code=SIGN_IN_REFUSED.code).last()
        if last is not None and last.member("why") == "throttled" and last.is_younger_than(WINDOW):
            return
        _log.warning("too many sign-ins failed; attempts are not looked at for a while")
        record(SIGN_IN_REFUSED, actor=NETWORK, subject=subject, why="throttled")


def second_factor_refused(user: User, **_: object) -> None:
    """Enter that a password was right, and what had to follow was not."""
    record(SIGN_IN_REFUSED, actor=NETWORK, subject=Subject.user(user.pk), why="second-factor")


def provider_refused(why: str, **_: object) -> None:
    """Enter that the provider signed somebody in who gets no further here."""
    record(SIGN_IN_REFUSED, actor=NETWORK, why=why)


def factor_added(user: User, factor: str, **_: object) -> None:
    """Enter that somebody added a second factor of their own."""
    record(FACTOR, actor=Actor.user(user.pk), subject=Subject.user(user.pk), factor=str(factor))


def factor_removed(user: User, factor: str, **_: object) -> None:
    """Enter that somebody took one away."""
    record(FACTOR_END, actor=Actor.user(user.pk), subject=Subject.user(user.pk), factor=str(factor))


def recovery_code_used(user: User, **_: object) -> None:
    """Enter that a recovery code was used up."""
    record(RECOVERY_CODE, actor=Actor.user(user.pk), subject=Subject.user(user.pk))


def password_set(user: User, **_: object) -> None:
    """Enter that somebody set a password of their own."""
    record(PASSWORD, actor=Actor.user(user.pk), subject=Subject.user(user.pk))


def sessions_ended(user: User, count: int, **_: object) -> None:
    """Enter that somebody signed out elsewhere."""
    record(SESSIONS_END, actor=Actor.user(user.pk), subject=Subject.user(user.pk), count=count)


def _account(username: str) -> Subject:
    try:
        return Subject.user(User.objects.get_by_natural_key(username).pk)
    except User.DoesNotExist:
        return NOTHING
