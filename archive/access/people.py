"""Making accounts, ending them, and granting rights: each one transaction with its custody entry."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from appliance.contract.errors import SettingsError
from appliance.contract.times import wall
from archive.accounts import sessions
from archive.accounts.models import Invitation, ProviderSubject, User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, ActorType, Subject
from archive.custody.log import record

from .custody_kinds import (
    ACCOUNT,
    ACCOUNT_ANEW,
    ACCOUNT_END,
    ACCOUNT_OPEN,
    FACTOR_END,
    GRANT,
    PASSWORD,
    REVOKE,
    RIGHTS_END,
)
from .deeds import Deed
from .models import Grant
from .scopes import DISTRICT, Scope

ALL_FACTORS: Final = "all"
"""What the entry names when every factor of a person was taken away at once."""


def new_password() -> str:
    """Return a random password of 120 bits."""
    return secrets.token_urlsafe(15)


def find_user(name: str) -> User:
    """Return the account that `name` means; raise SettingsError.

    It is the name that the person signs in with, the account's identifier, or the name as colleagues read it if only
    one account has it: whom the district's provider signs in has no name to sign in with.
    """
    try:
        return User.objects.get_by_natural_key(name)
    except User.DoesNotExist:
        found = _by_identifier(name) or list(User.objects.filter(display_name__iexact=name.strip() or None)[:2])
    if len(found) > 1:
        raise SettingsError(
            f"several accounts are called {name!r}; give the identifier of one, as its page and "
            "'plainsight-archive list-users' show it",
            field="name",
        )
    if not found:
        raise SettingsError(f"there is no account {name!r}; 'plainsight-archive list-users' shows all", field="name")
    return found[0]


def _by_identifier(text: str) -> list[User]:
    try:
        return list(User.objects.filter(pk=UUID(text.strip())))
    except ValueError:
        return []


@dataclass(frozen=True)
class Identity:
    """Who somebody is to the district's provider."""

    issuer: str
    subject: str


def create_account(
    username: str | None,
    password: str | None,
    deeds: Iterable[Deed],
    *,
    by: Actor,
    display_name: str = "",
    identity: Identity | None = None,
) -> User:
    """Make an account that may do `deeds`; raise SettingsError that names what is wrong.

    Without `password` it is for an invitation, or for who signs in through the provider as `identity`.
    """
    known = {"oidc_issuer": identity.issuer, "oidc_subject": identity.subject} if identity else {}
    # made before: it takes a while on purpose
    hashed = make_password(password)
    with one_deed():
        try:
            user = User.objects.create_user(username, hashed=hashed, display_name=display_name, **known)
        except ValidationError as error:
            field, problems = next(iter(error.message_dict.items()))
            words = " ".join(problems).rstrip(".")
            raise SettingsError(f"cannot make the account {username or ''!r}: {words}", field=field) from error
        record(ACCOUNT, actor=by, subject=Subject.user(user.pk))
        for deed in sorted(deeds):
            grant(user, deed, by=by)
    return user


def end_account(user: User, *, by: Actor, at: datetime | None = None) -> User:
    """Let `user` sign in only until `at` (default: now), and end every session then.

    What was granted to it ends with it: an entry for each scope says what.
    """
    with one_deed():
        user = User.objects.select_for_update().get(pk=user.pk)
        user.active_until = at or timezone.now()
        held = ending_with(user)
        until = wall(user.active_until)
        record(ACCOUNT_END, actor=by, subject=Subject.user(user.pk), until=until, grants=len(held))
        for scope in sorted({one.scope for one in held}, key=lambda one: (one.type, one.id)):
            record(
                RIGHTS_END,
                actor=by,
                subject=Subject.user(user.pk),
                deeds=" ".join(sorted({one.deed for one in held if one.scope == scope})),
                scope=scope.type.value,
                scope_id=scope.id,
                until=until,
            )
        user.save(update_fields=["active_until"])
        if not user.is_active:
            sessions.end_sessions(user)
    return user


def ending_with(user: User) -> list[Grant]:
    """Return what of the grants of `user` ends, or ended, with the account; what it holds, as long as it has no end."""
    last = user.active_until or timezone.now()
    longer = Q(valid_until=None) | Q(valid_until__gt=last)
    return list(Grant.objects.filter(longer, user=user, valid_from__lte=last))


def open_account(user: User, *, by: Actor) -> bool:
    """Let an account that has ended sign in again; return False if it had not.

    What was granted to it before ended with it, and is entered as taken away: none of it comes back. Nor does a link
    to choose a password that was given out before.
    """
    now = timezone.now()
    with one_deed():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.is_active:
            return False
        record(ACCOUNT_OPEN, actor=by, subject=Subject.user(user.pk))
        for one in Grant.objects.filter(Q(valid_until=None) | Q(valid_until__gt=now), user=user):
            _record_revoke(user, Deed(one.deed), one.scope, by=by)
            one.valid_until = max(now, one.valid_from)
            one.save(update_fields=["valid_until"])
        Invitation.objects.filter(user=user).delete()
        if user.oidc_subject is not None:
            # what was decided on the provider's offers is over as well
            known = ProviderSubject.objects.filter(issuer=user.oidc_issuer, subject=user.oidc_subject)
            known.update(roles_settled=[])
        user.active_until = None
        user.save(update_fields=["active_until"])
    return True


def set_password(user: User, password: str, *, by: Actor, anew: bool = False) -> None:
    """Give `user` a new password; every session of theirs ends.

    With `anew` every second factor and link goes as well: nothing opens the account any more that did before.
    """
    # made before: it takes a while on purpose
    hashed = make_password(password)
    with one_deed():
        user = User.objects.select_for_update().get(pk=user.pk)
        record(PASSWORD, actor=by, subject=Subject.user(user.pk))
        user.password = hashed
        user.save(update_fields=["password"])
        sessions.end_sessions(user)
        if anew:
            end_factors(user, by=by)
            Invitation.objects.filter(user=user).delete()
            record(ACCOUNT_ANEW, actor=by, subject=Subject.user(user.pk))


def end_factors(user: User, *, by: Actor) -> bool:
    """Take every second factor of `user` away, and end the sessions.

    Return False if there was none: then nothing is done, and nothing logged.
    """
    from archive.accounts import factors  # noqa: PLC0415 - its pages are large, and only this deed needs them

    with one_deed():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not factors.factors_of(user):
            return False
        record(FACTOR_END, actor=by, subject=Subject.user(user.pk), factor=ALL_FACTORS)
        factors.remove_all(user)
        sessions.end_sessions(user)
    return True


@dataclass(frozen=True)
class GrantFacts:
    """What is known about why somebody may do something; empty where the whole district's staff is meant."""

    purpose: str = ""
    """Legitimate educational interest, or other basis (34 CFR 99.31(a)(1))."""
    position: str = ""
    """Position of the person (34 CFR 300.623(d))."""
    trained_on: date | None = None
    """When the person was trained in confidentiality (34 CFR 300.623(c))."""


def grant(
    user: User,
    deed: Deed,
    *,
    by: Actor,
    scope: Scope = DISTRICT,
    until: datetime | None = None,
    facts: GrantFacts | None = None,
) -> Grant:
    """Let `user` do `deed` as far as `scope` reaches, from now on until `until`.

    Raises SettingsError if that has passed. A grant of the same without an end is replaced by this one.
    """
    now, facts = timezone.now(), facts or GrantFacts()
    if until is not None and until <= now:
        raise SettingsError(f"{until} has passed; take a right away with revoke", field="until")
    granted_by = by.id if by.type == ActorType.USER else None
    with one_deed():
        Grant.objects.filter(user=user, deed=deed, valid_until=None).over(scope).update(valid_until=now)
        record(
            GRANT,
            actor=by,
            subject=Subject.user(user.pk),
            deed=deed.value,
            scope=scope.type.value,
            scope_id=scope.id,
            until=wall(until) if until else None,
        )
        return Grant.objects.create(
            user=user,
            deed=deed,
            scope_type=scope.type,
            scope_id=scope.id,
            valid_from=now,
            valid_until=until,
            purpose=facts.purpose,
            position=facts.position,
            trained_on=facts.trained_on,
            granted_by_id=granted_by,
        )


def revoke(user: User, deed: Deed, *, by: Actor, scope: Scope = DISTRICT) -> bool:
    """Take `deed` in just `scope` away from `user` now; return False if it was not granted."""
    now = timezone.now()
    with one_deed():
        held = Grant.objects.filter(user=user, deed=deed).over(scope).in_time(now)
        if not held.exists():
            return False
        _record_revoke(user, deed, scope, by=by)
        held.update(valid_until=now)
    return True


def _record_revoke(user: User, deed: Deed, scope: Scope, *, by: Actor) -> None:
    subject = Subject.user(user.pk)
    record(REVOKE, actor=by, subject=subject, deed=deed.value, scope=scope.type.value, scope_id=scope.id)
