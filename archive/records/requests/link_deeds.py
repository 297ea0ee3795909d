"""One-time links for rights-holders: a link that goes one way, a code that staff hand over another way.

Link and code together are a sign-in of the person's own account, which has no password. A link works once; five wrong
codes end it. At the kiosk in the office the same is done by staff, who see the person and a paper that names them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from appliance.contract.times import wall
from archive.access.accounts import beyond
from archive.access.custody_kinds import ACCOUNT
from archive.access.scopes import ScopeType
from archive.accounts.models import User
from archive.core.deeds import one_deed
from archive.custody.actors import NETWORK, NOTHING, Actor, Subject
from archive.custody.clock import why_behind
from archive.custody.log import record
from archive.records.errors import DeedError, UnknownRecordError
from archive.records.people.models import Person

from .custody_kinds import LINK, LINK_REFUSED, LINK_USED, LINK_WITHDRAWN
from .deeds import OWN_DEEDS
from .models import AccessRequest, ParentLink

LASTS: Final = timedelta(days=14)
"""How long a link works; a parent who reads mail once a week reaches it."""
KIOSK_LASTS: Final = timedelta(minutes=30)
"""How long one for the kiosk works: the person stands beside."""
MAX_FAILURES: Final = 5
"""Wrong codes that end a link: of 100 million codes that is a chance of one in 20 million."""
ACCOUNT_ENDED: Final = (
    "This person's account has ended, so a link would open nothing. Somebody who looks after accounts opens it again "
    "on its page; then try again."
)
_DIGITS: Final = "0123456789"
CODE_LENGTH: Final = 8
"""Digits of a code; read aloud in two groups of four."""


@dataclass(frozen=True)
class MadeLink:
    """A link as it is shown once."""

    row: ParentLink
    token: str
    """128 random bits, for the address."""
    code: str
    """Digits that go another way than the link."""


@dataclass(frozen=True)
class Drawn:
    """What opens a link, drawn before any deed: the code is hashed, which takes a while on purpose."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    code: str = field(default_factory=lambda: "".join(secrets.choice(_DIGITS) for _ in range(CODE_LENGTH)), repr=False)
    code_digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Hash the code."""
        object.__setattr__(self, "code_digest", make_password(self.code))


class LinkRefusedError(DeedError):
    """A link or its code opens nothing."""

    code = "link-refused"
    status = 403


def make_link(
    person: Person,
    *,
    by: User,
    request: AccessRequest | None = None,
    kiosk: bool = False,
    drawn: Drawn | None = None,
) -> MadeLink:
    """Make a link for a person, and an account if there is none; earlier links of the person end.

    Who calls it inside a deed of its own hands in what was `drawn` before. Raises DeedError where the account may do
    more than `by`, beside what a parent may: whoever makes a link can use it. An account that has ended is refused as
    well: its link would open nothing.
    """
    drawn = drawn or Drawn()
    now = timezone.now()
    with one_deed():
        person = Person.objects.select_for_update(of=("self",)).select_related("user").get(pk=person.pk)
        if person.user is None:
            _make_account(person, by)
        elif not person.user.is_active:
            raise DeedError(ACCOUNT_ENDED)
        elif any(one.deed not in OWN_DEEDS or one.scope_type != ScopeType.STUDENT for one in beyond(person.user, by)):
            raise DeedError(
                "This person's account may do more than yours, and a link would open it. Ask somebody who may do all "
                "of it, or let the person sign in as always."
            )
        ParentLink.objects.filter(person=person, used_at=None, withdrawn_at=None).update(withdrawn_at=now)
        row = ParentLink(
            person=person,
            request=request,
            token_digest=_digest(drawn.token),
            code_digest=drawn.code_digest,
            made_at=now,
            made_by=by,
            expires_at=now + (KIOSK_LASTS if kiosk else LASTS),
            kiosk=kiosk,
        )
        record(
            LINK,
            actor=Actor.user(by.pk),
            subject=Subject.person(person.pk),
            person=str(person.pk),
            link=str(row.pk),
            expires=wall(row.expires_at),
            kiosk=kiosk,
        )
        row.save(force_insert=True)
    return MadeLink(row, drawn.token, drawn.code)


def withdraw_link(pk: UUID, *, by: User) -> None:
    """End a link that was not used yet."""
    with one_deed():
        row = ParentLink.objects.select_for_update().filter(pk=pk, used_at=None, withdrawn_at=None).first()
        if row is None:
            raise UnknownRecordError("there is no such link, or it was used or withdrawn")
        record(LINK_WITHDRAWN, actor=Actor.user(by.pk), subject=Subject.person(row.person_id), link=str(row.pk))
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])


def use_link(token: str, code: str) -> User:
    """Return the account that link and code open, and end the link. Raises LinkRefusedError; each refusal is entered.

    A refusal is committed although it raises: five wrong codes end a link.
    """
    known = ParentLink.objects.filter(token_digest=_digest(token)).first()
    # looked at before: it takes a while on purpose
    fits = known is not None and check_password(code, known.code_digest)
    with one_deed():
        row = (
            ParentLink.objects.select_for_update(of=("self",))
            .select_related("person__user")
            .filter(token_digest=_digest(token))
            .first()
        )
        why = _problem(row, fits=fits)
        if row is not None and not why:
            record(LINK_USED, actor=NETWORK, subject=Subject.person(row.person_id), link=str(row.pk))
            row.used_at = timezone.now()
            row.save(update_fields=["used_at"])
            user = row.person.user
            if user is not None:
                return user
            why = "account-ended"
        if row is not None:
            record(LINK_REFUSED, actor=NETWORK, subject=Subject.person(row.person_id), link=str(row.pk), why=why)
            if why == "wrong-code":
                row.failures += 1
                row.save(update_fields=["failures"])
    raise LinkRefusedError(str(_WORDS[why]), field="code" if why == "wrong-code" else None)


def use_kiosk_code(code: str) -> User:
    """Return the account that a code opens at the kiosk, and end it. Raises LinkRefusedError; each refusal is entered.

    A wrong code counts against every code that is open for the kiosk, so that guessing ends them all.
    """
    open_now = Q(kiosk=True, used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
    # looked at before: it takes a while on purpose
    fitting = {one.pk for one in ParentLink.objects.filter(open_now) if check_password(code, one.code_digest)}
    with one_deed():
        rows = ParentLink.objects.select_for_update(of=("self",)).select_related("person__user")
        given = list(rows.filter(open_now))
        row = next((one for one in given if not _problem(one, fits=one.pk in fitting)), None)
        if row is not None and row.person.user is not None:
            record(LINK_USED, actor=NETWORK, subject=Subject.person(row.person_id), link=str(row.pk))
            row.used_at = timezone.now()
            row.save(update_fields=["used_at"])
            return row.person.user
        record(LINK_REFUSED, actor=NETWORK, subject=NOTHING, why="wrong-code")
        for one in given:
            one.failures += 1
        ParentLink.objects.bulk_update(given, ["failures"])
    raise LinkRefusedError(
        str(_("This code opens nothing here. It has eight digits, and works for 30 minutes. Ask at the office.")),
        field="code",
    )


def _problem(row: ParentLink | None, *, fits: bool) -> str:  # noqa: PLR0911 - one reason a line
    if row is None:
        return "unknown"
    if row.used_at is not None:
        return "used"
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.expires_at <= timezone.now():
        return "expired"
    if why_behind():
        return "clock"
    if row.failures >= MAX_FAILURES:
        return "too-many"
    if row.person.user is None or not row.person.user.is_active:
        return "account-ended"
    return "" if fits else "wrong-code"


_WORDS: Final = {
    "unknown": _("This link opens nothing. Ask the school office for a new one."),
    "used": _("This link was used already. Ask the school office for a new one."),
    "withdrawn": _("This link was withdrawn. Ask the school office for a new one."),
    "expired": _("This link is too old. Ask the school office for a new one."),
    "clock": _("The archive's clock is wrong, so nobody can tell whether this link is too old. Ask at the office."),
    "too-many": _("The code was wrong too often, so this link has ended. Ask the school office for a new one."),
    "account-ended": _("This account has ended. Ask the school office."),
    "wrong-code": _("This code is wrong. It has eight digits, and the school office gave it to you."),
}


def _make_account(person: Person, by: User) -> None:
    user = User(username=None, display_name=str(person))
    user.set_unusable_password()
    record(ACCOUNT, actor=Actor.user(by.pk), subject=Subject.user(user.pk))
    user.save(force_insert=True)
    person.user = user
    person.save(update_fields=["user"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
