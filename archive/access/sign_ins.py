"""Custody entries of sign-ins. What was typed is in none of them: it may be a password, or nobody's name."""

from __future__ import annotations

import logging
from typing import Any

from archive.accounts.models import User
from archive.accounts.throttle import WINDOW
from archive.custody.actors import NETWORK, NOTHING, Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry

from .custody_kinds import SIGN_IN, SIGN_IN_REFUSED

_log = logging.getLogger(__name__)


def signed_in(user: User, **_: object) -> None:
    """Enter a sign-in."""
    record(SIGN_IN, actor=Actor.user(user.pk), subject=Subject.user(user.pk))


def refused(credentials: dict[str, Any], **_: object) -> None:
    """Enter a sign-in that failed; the throttle bounds how many a stranger can make."""
    record(SIGN_IN_REFUSED, actor=NETWORK, subject=_account(str(credentials.get("username", ""))), why="wrong")


def throttled(username: str, **_: object) -> None:
    """Enter, once for each account in a while, that attempts are no longer looked at."""
    subject = _account(username)
    last = Entry.objects.about(subject).filter(code=SIGN_IN_REFUSED.code).last()
    if last is not None and last.member("why") == "throttled" and last.is_younger_than(WINDOW):
        return
    _log.warning("too many sign-ins failed; attempts are not looked at for a while")
    record(SIGN_IN_REFUSED, actor=NETWORK, subject=subject, why="throttled")


def _account(username: str) -> Subject:
    try:
        return Subject.user(User.objects.get_by_natural_key(username).pk)
    except User.DoesNotExist:
        return NOTHING
