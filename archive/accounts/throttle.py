"""How often a sign-in may fail: by account, by address, and by browser, so that nobody locks a colleague out.

Whoever guesses is slowed down, from one address or from many. A browser that signed in before carries a signed cookie
for that account ("device cookie", OWASP) and has a count of its own: what strangers do elsewhere does not touch it.
An attempt is counted before its password is looked at, so that many at once are no way around. Codes of a second
factor are counted in the same way, apart from passwords.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from archive.core.deeds import take_turn

from .models import SignInAttempt, User, normalize

WINDOW: Final = timedelta(minutes=15)
"""Failures count for so long; nobody is locked out for longer after the last one."""
MAX_PAIR: Final = 6
"""Failures of one account from one address."""
MAX_ADDRESS: Final = 40
"""Failures of all accounts from one address: a whole school may share one."""
MAX_ACCOUNT: Final = 30
"""Failures of one account from all addresses together."""
MAX_BROWSER: Final = 10
"""Failures of a browser that signed in as that account before."""
COOKIE_AGE: Final = timedelta(days=180)
"""How long a browser is known."""
_SALT: Final = "archive.accounts.throttle"


@dataclass(frozen=True)
class Source:
    """Where an attempt comes from."""

    address: str
    """Client's address."""
    cookie: str = ""
    """The browser's device cookie, as it came."""


class TooManyAttemptsError(Exception):
    """So many attempts failed that this one is not looked at."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many attempts failed")
        self.wait = wait
        """Until one of the failures no longer counts."""


def begin(username: str, source: Source) -> SignInAttempt:
    """Count an attempt with a password, failed until `succeeded` says otherwise; raise TooManyAttemptsError."""
    return _begin(
        _account(normalize(username)),
        _browser(source.cookie, User.objects.filter(username=normalize(username))),
        source,
    )


def begin_second_factor(user: User, source: Source) -> SignInAttempt:
    """Count an attempt with a code of `user`, apart from those with a password; raise TooManyAttemptsError."""
    # no name to sign in with has a space in it
    return _begin(
        _account(f"second factor of {user.pk}"), _browser(source.cookie, User.objects.filter(pk=user.pk)), source
    )


def _begin(account: str, browser: str, source: Source) -> SignInAttempt:
    now = timezone.now()
    with transaction.atomic():
        # who guesses in parallel is counted one by one
        take_turn("attempts to sign in")
        SignInAttempt.objects.filter(at__lte=now - WINDOW).delete()
        rows = SignInAttempt.objects.filter(account=account, browser=browser)
        limits = [(rows, MAX_BROWSER)]
        if not browser:
            unknown = SignInAttempt.objects.filter(browser="")
            limits = [
                (unknown.filter(account=account, address=source.address), MAX_PAIR),
                (unknown.filter(account=account), MAX_ACCOUNT),
                (unknown.filter(address=source.address), MAX_ADDRESS),
            ]
        waits = [
            _wait(list(failed.order_by("-at").values_list("at", flat=True)[:most]), most, now)
            for failed, most in limits
        ]
        if max(waits) > timedelta():
            raise TooManyAttemptsError(max(waits))
        return SignInAttempt.objects.create(account=account, address=source.address, browser=browser, at=now)


def _wait(failures: list[datetime], most: int, now: datetime) -> timedelta:
    """Return how long it takes until fewer than `most` of `failures`, newest first, count."""
    return failures[-1] + WINDOW - now if len(failures) >= most else timedelta()


def succeeded(attempt: SignInAttempt) -> None:
    """Forget the failures of this account from where it now signed in."""
    SignInAttempt.objects.filter(account=attempt.account, address=attempt.address, browser=attempt.browser).delete()


def device_cookie(user: User) -> str:
    """Return a new cookie by which this browser is known as one of `user`."""
    return signing.dumps({"user": str(user.pk), "browser": secrets.token_hex(16)}, salt=_SALT)


def browser_user(cookie: str) -> str:
    """Return the identifier of who last signed in with this browser; an empty text if nobody is known to have."""
    return _members(cookie).get("user", "")


def _account(what: str) -> str:
    # people type passwords into the wrong field: what was typed is not kept
    return salted_hmac(_SALT, what, algorithm="sha256").hexdigest()


def _browser(cookie: str, accounts: QuerySet[User]) -> str:
    """Return the identifier in the cookie if it is one of the account, else an empty text."""
    members = _members(cookie)
    return members["browser"] if members and accounts.filter(pk=members["user"]).exists() else ""


def _members(cookie: str) -> dict[str, str]:
    try:
        members = signing.loads(cookie, salt=_SALT, max_age=COOKIE_AGE)
        return {"user": str(members["user"]), "browser": str(members["browser"])}
    except (signing.BadSignature, KeyError, TypeError):
        return {}
