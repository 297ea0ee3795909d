"""What whoever looks after accounts does with them: each one transaction with its custody entry.

Nobody hands out more than they may do themselves, and nobody changes what they may do themselves. Nobody touches an
account that may do more than their own: whoever takes its second factor away and gives out its link could sign in as
it. That needs somebody with the same rights, or an operator at the archive's host.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.times import wall
from archive.accounts import invitations, sessions
from archive.accounts.models import Invitation, ProviderSubject, User
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject, SubjectType
from archive.custody.log import record

from .custody_kinds import INVITATION, OFFER_END, SESSIONS_END
from .decisions import reach_of
from .deeds import ROLES, Deed
from .models import Grant
from .people import Identity, create_account, end_account, end_factors, ending_with, grant, open_account, revoke
from .scopes import DISTRICT, ScopeType, barred_scopes, scopes_of


class NotYoursError(PlainSightError):
    """Somebody tries to change their own account, to hand out more than they have, or to touch a stronger account."""

    code = "not-yours"
    status = 403


def roles_of(actor: User) -> list[str]:
    """Return the roles that `actor` may hand out: those whose every deed they have for the whole district."""
    held = _held(actor)
    return [role for role, deeds in ROLES.items() if deeds <= held]


def _held(user: User) -> frozenset[Deed]:
    """Return what `user` may do over the whole district."""
    grants = Grant.objects.filter(user=user).over(DISTRICT).at(timezone.now())
    return frozenset(Deed(deed) for deed in grants.values_list("deed", flat=True))


def _check_role(role: str, by: User) -> None:
    if role and role not in roles_of(by):
        raise NotYoursError(f"you may not hand out {role!r}; ask somebody who may do all of it", field="role")


def beyond(user: User, by: User) -> list[Grant]:
    """Return what was granted to `user` and reaches further than what `by` may do."""
    now = timezone.now()
    held = Grant.objects.filter(Q(valid_until=None) | Q(valid_until__gt=now), user=user)
    return [one for one in held if not _covers(by, user, one)]


def _covers(by: User, user: User, one: Grant) -> bool:
    # whoever handles requests opens to parents what they may do
    reach = reach_of(by, Deed.REQUESTS if one.deed == Deed.OWN else Deed(one.deed))
    around = {DISTRICT, one.scope}
    if one.scope_type in {ScopeType.STUDENT, ScopeType.RECORDING}:
        around |= scopes_of(Subject(SubjectType(one.scope_type), one.scope_id))
        barred = reach.barred & around
    else:
        # a court order that bars only one of both would be got around through the other one's account
        barred = reach.barred - barred_scopes(user)
    return not barred and not reach.scopes.isdisjoint(around)


def touchable(user: User, by: User) -> bool:
    """Tell whether `by`, who looks after accounts, may change the account of `user`."""
    return user.pk != by.pk and not beyond(user, by)


def _check_other(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise NotYoursError("this is your own account; ask somebody else who looks after accounts", field="account")
    if beyond(user, by):
        raise NotYoursError("this account may do more than yours; ask somebody who may do all of it", field="account")


def invite(username: str, display_name: str, role: str, *, by: User) -> tuple[User, str]:
    """Make an account with the rights of `role` (empty: none), and return it with the text of its first link.

    Raises SettingsError that names what is wrong, and NotYoursError.
    """
    _check_role(role, by)
    actor = Actor.user(by.pk)
    with one_deed():
        user = create_account(username, None, ROLES.get(role, ()), by=actor, display_name=display_name)
        return user, invite_again(user, by=by)


def invite_again(user: User, *, by: User) -> str:
    """Return the text of a new link by which `user` sets a password; one that was given out before stops working."""
    _check_other(user, by)
    with one_deed():
        text = invitations.issue(user)
        until = wall(Invitation.objects.get(user=user).valid_until)
        record(INVITATION, actor=Actor.user(by.pk), subject=Subject.user(user.pk), until=until)
    return text


def make_from_provider(person: ProviderSubject, role: str, *, by: User) -> User:
    """Make an account for whom the provider signed in, with the rights of `role`; one that is there already stays."""
    _check_role(role, by)
    with one_deed():
        person = ProviderSubject.objects.select_for_update().get(pk=person.pk)
        present = person.user()
        if present is not None:
            return present
        identity = Identity(person.issuer, person.subject)
        user = create_account(
            None, None, ROLES.get(role, ()), by=Actor.user(by.pk), display_name=person.name, identity=identity
        )
        # what else the groups offer is shown on the account's page
        person.roles_settled = [person.role] if person.role else []
        person.save(update_fields=["roles_settled"])
    return user


def dismiss(person: ProviderSubject) -> None:
    """Take somebody off the list of people who tried; whoever tries again with an account is let in all the same."""
    ProviderSubject.objects.filter(pk=person.pk).update(dismissed=True)


def hand_out(user: User, role: str, *, by: User) -> None:
    """Grant `user` what `role` may do and was not granted yet."""
    _check_other(user, by)
    _check_role(role, by)
    with one_deed():
        User.objects.select_for_update().get(pk=user.pk)
        for deed in sorted(ROLES[role] - _held(user)):
            grant(user, deed, by=Actor.user(by.pk))


def roles_held(user: User) -> list[str]:
    """Return the roles whose every deed `user` may do over the whole district, without those that another one holds."""
    held = _held(user)
    whole = [role for role, deeds in ROLES.items() if deeds <= held]
    return [role for role in whole if not any(ROLES[role] < ROLES[other] for other in whole)]


def take_back(user: User, role: str, *, by: User) -> int:
    """Take what `role` may do over the whole district away from `user`, and return how many rights ended.

    What another role of theirs gives as well stays. An empty `role` takes away all that was granted over the district.
    """
    _check_other(user, by)
    with one_deed():
        User.objects.select_for_update().get(pk=user.pk)
        held, roles = _held(user), roles_held(user)
        if role and role not in roles:
            return 0
        kept = frozenset(deed for other in roles if role and other != role for deed in ROLES[other])
        taken = sorted((ROLES[role] if role else held) - kept)
        for deed in taken:
            revoke(user, deed, by=Actor.user(by.pk))
    return len(taken)


def offer_of(user: User) -> str:
    """Return the role that the provider's groups offer `user` and nobody has decided on; else an empty text.

    What somebody granted without the offer is none either.
    """
    if user.oidc_subject is None:
        return ""
    person = ProviderSubject.objects.filter(issuer=user.oidc_issuer, subject=user.oidc_subject).first()
    held = roles_held(user)
    open_ = [role for role in person.roles if role not in person.roles_settled] if person else []
    return next((role for role in open_ if role in ROLES and role not in held), "")


def settle_offer(user: User, role: str, *, accept: bool, by: User) -> None:
    """Grant what the provider's groups offer, or turn it down; it is not shown again while they go on offering it.

    Does nothing if `role` is not what is offered any more: groups may offer nothing since, or a role that is gone.
    """
    _check_other(user, by)
    if role not in ROLES:
        return
    with one_deed():
        people = ProviderSubject.objects.select_for_update()
        person = people.filter(issuer=user.oidc_issuer, subject=user.oidc_subject).first()
        if person is None or role not in person.roles or role in person.roles_settled:
            return
        if accept:
            hand_out(user, role, by=by)
        else:
            record(OFFER_END, actor=Actor.user(by.pk), subject=Subject.user(user.pk), role=role)
        person.roles_settled = [*person.roles_settled, role]
        person.save(update_fields=["roles_settled"])


def take_factors(user: User, *, by: User) -> bool:
    """Take every second factor of `user` away, for who lost a phone; return False if there was none."""
    _check_other(user, by)
    return end_factors(user, by=Actor.user(by.pk))


def sign_out(user: User, *, by: User) -> int:
    """End every session of `user` and return how many there were."""
    _check_other(user, by)
    with one_deed():
        count = sessions.count_open(user)
        record(SESSIONS_END, actor=Actor.user(by.pk), subject=Subject.user(user.pk), count=count)
        sessions.end_sessions(user)
    return count


def end(user: User, *, by: User) -> int:
    """End an account and its sessions now; return how many rights ended with it."""
    _check_other(user, by)
    return len(ending_with(end_account(user, by=Actor.user(by.pk))))


def open_again(user: User, *, by: User) -> bool:
    """Open an account again that has ended, with nothing granted to it; return False if it had not ended."""
    _check_other(user, by)
    return open_account(user, by=Actor.user(by.pk))
