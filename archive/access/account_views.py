"""The accounts' pages: who can sign in, who tried, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appliance.contract.errors import SettingsError
from archive.accounts.factors import factors_of
from archive.accounts.models import Invitation, ProviderSubject, User
from archive.accounts.sessions import count_open
from archive.accounts.typed import fill
from archive.core.once import once

from . import accounts as deeds
from .account_forms import NewAccountForm, RoleEndForm, RoleForm
from .deeds import ROLES, Deed
from .models import Grant
from .people import ending_with
from .requests import user_of
from .scopes import ScopeType

A_PAGE = 50
"""Accounts on one page of the list."""


@dataclass(frozen=True)
class Listed:
    """An account in the list."""

    user: User
    active: bool
    rights: str
    """What it may do over the whole district, as a role if it is just one; how many other grants there are. Of an
    account that has ended: what ended with it."""
    factor: bool
    """Whether it has a second factor."""


@require_safe
def accounts(request: HttpRequest) -> HttpResponseBase:
    """List the accounts, and who tried to sign in without one."""
    wanted = request.GET.get("q", "").strip()[:100]
    rows = User.objects.order_by("display_name", "username", "pk")
    if wanted:
        rows = rows.filter(Q(username__icontains=wanted) | Q(display_name__icontains=wanted) | Q(oidc_subject=wanted))
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    words = {
        "accounts": _listed(list(page.object_list)),
        "page": page,
        "q": wanted,
        "tried": [
            {
                "person": person,
                "form": RoleForm(
                    roles=deeds.roles_of(user_of(request)),
                    initial={"role": person.role},
                    auto_id=f"tried_{person.pk}_%s",
                ),
            }
            for person in _tried()
        ],
        "has_provider": settings.ARCHIVE.sign_in.provider is not None,
        "place": "accounts",
    }
    return render(request, "access/accounts.html", words)


def _tried() -> list[ProviderSubject]:
    """Return the people who tried and have no account, the newest 50."""
    provider = settings.ARCHIVE.sign_in.provider
    if provider is None:
        return []
    known = User.objects.filter(oidc_issuer=provider.issuer).values("oidc_subject")
    people = ProviderSubject.objects.filter(issuer=provider.issuer, dismissed=False)
    return list(people.exclude(subject__in=known)[:50])


def _listed(users: list[User]) -> list[Listed]:
    now = timezone.now()
    grants: dict[UUID, list[Grant]] = {}
    ended = Grant.objects.filter(user__in=users, user__active_until__lte=now).cut_short()
    for one in [*Grant.objects.filter(user__in=users).at(now), *ended]:
        grants.setdefault(one.user_id, []).append(one)
    with_factor = set(
        User.objects.filter(
            pk__in=[user.pk for user in users], authenticator__type__in=["totp", "webauthn"]
        ).values_list("pk", flat=True)
    )
    return [
        Listed(user, user.active_at(now), _rights(grants.get(user.pk, [])), user.pk in with_factor) for user in users
    ]


def _rights(grants: list[Grant]) -> str:
    everywhere = frozenset(Deed(one.deed) for one in grants if one.scope_type == ScopeType.DISTRICT)
    role = next((role for role, held in ROLES.items() if held == everywhere), "")
    told = role or ", ".join(sorted(everywhere))
    bounded = sum(one.scope_type != ScopeType.DISTRICT for one in grants)
    more = ngettext("%(n)d bounded grant", "%(n)d bounded grants", bounded) % {"n": bounded} if bounded else ""
    return ", ".join(filter(None, (told, more)))


@require_http_methods(["GET", "HEAD", "POST"])
def new_account(request: HttpRequest) -> HttpResponseBase:
    """Make an account and show its link once."""
    by = user_of(request)
    form = NewAccountForm(request.POST if request.method == "POST" else None, roles=deeds.roles_of(by))
    fill(request, form)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user, text = deeds.invite(given["username"], given["display_name"], given["role"], by=by)
        except SettingsError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _invited(request, user, text)
    return render(request, "access/new_account.html", {"form": form, "place": "accounts"})


def _invited(request: HttpRequest, user: User, text: str) -> HttpResponseBase:
    link = f"{settings.ARCHIVE.site.url}{reverse('pages:invitation', args=[text])}"
    words = {"account": user, "link": link, "until": Invitation.objects.get(user=user).valid_until, "place": "accounts"}
    return render(request, "access/invited.html", words)


@require_safe
def account(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Show one account: what it may do, how it signs in, and what can be done with it."""
    user, by = get_object_or_404(User, pk=account), user_of(request)
    now = timezone.now()
    invitation = Invitation.objects.filter(user=user, valid_until__gt=now).first()
    person = None
    if user.oidc_subject is not None:
        person = ProviderSubject.objects.filter(issuer=user.oidc_issuer, subject=user.oidc_subject).first()
    active = user.active_at(now)
    # of an account that has ended, what ended with it
    held = list(Grant.objects.filter(user=user).at(now).select_related("user")) if active else ending_with(user)
    words = {
        "account": user,
        "active": active,
        "own": user.pk == by.pk,
        "touchable": deeds.touchable(user, by),
        "grants": [
            {"label": Deed(one.deed).label, "reach": _reach(one), "until": one.ends_at if active else None}
            for one in held
        ],
        "district_wide": active and any(one.scope_type == ScopeType.DISTRICT for one in held),
        "factors": factors_of(user),
        "sessions": count_open(user),
        "invitation": invitation,
        "person": person,
        "offer": deeds.offer_of(user) if active else "",
        "form": RoleForm(roles=deeds.roles_of(by)),
        "end_form": RoleEndForm(roles=deeds.roles_held(user)),
        "place": "accounts",
    }
    return render(request, "access/account.html", words)


def _reach(one: Grant) -> str:
    return ScopeType(one.scope_type).label + (f" {one.scope_id}" if one.scope_id else "")


def _go(request: HttpRequest, user: User, words: str) -> str:
    messages.success(request, words)
    return reverse("pages:account", args=[user.pk])


@require_POST
def hand_out_role(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Grant what a role may do."""
    user, by = get_object_or_404(User, pk=account), user_of(request)
    form = RoleForm(request.POST, roles=deeds.roles_of(by))
    if not form.is_valid() or not form.cleaned_data["role"]:
        messages.error(request, _("Choose a role first. Nothing was changed."))
        return redirect("pages:account", account=account)
    deeds.hand_out(user, form.cleaned_data["role"], by=by)
    return redirect(_go(request, user, _("What this role may do was granted.")))


@require_POST
def take_role_back(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Take back what a role may do, or everything over the whole district."""
    user, by = get_object_or_404(User, pk=account), user_of(request)
    form = RoleEndForm(request.POST, roles=deeds.roles_held(user))
    ended = deeds.take_back(user, form.role(), by=by) if form.is_valid() else 0
    if not ended:
        messages.error(request, _("Choose what to take back first. Nothing was changed."))
        return redirect("pages:account", account=account)
    told = ngettext("%(n)d right was taken back.", "%(n)d rights were taken back.", ended) % {"n": ended}
    return redirect(_go(request, user, told))


@require_POST
def settle_offer(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Accept or turn down what the provider's groups offer."""
    user, by = get_object_or_404(User, pk=account), user_of(request)
    accept = request.POST.get("answer") == "accept"
    deeds.settle_offer(user, request.POST.get("role", ""), accept=accept, by=by)
    told = _("The offered role was granted.") if accept else _("The offer was turned down.")
    return redirect(_go(request, user, told))


@require_POST
def new_invitation(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Give out a new link, for who lost the first one or the password."""
    user = get_object_or_404(User, pk=account)
    if user.username is None:
        messages.error(request, _("This person signs in with the district's account, without a password."))
        return redirect("pages:account", account=account)
    return _invited(request, user, deeds.invite_again(user, by=user_of(request)))


@require_POST
def take_factors(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Take the second factors of somebody away who lost a phone."""
    user = get_object_or_404(User, pk=account)
    if not deeds.take_factors(user, by=user_of(request)):
        messages.info(request, _("There was no second step. Nothing was changed."))
        return redirect("pages:account", account=account)
    return redirect(_go(request, user, _("The second step was taken away. The next sign-in asks for a new one.")))


@require_POST
def end_sessions(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Sign somebody out everywhere."""
    user = get_object_or_404(User, pk=account)
    count = deeds.sign_out(user, by=user_of(request))
    told = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", count) % {"count": count}
    return redirect(_go(request, user, told))


@require_POST
def end_account(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """End an account."""
    user = get_object_or_404(User, pk=account)
    ended = deeds.end(user, by=user_of(request))
    told = ngettext("%(n)d right ended with it.", "%(n)d rights ended with it.", ended) % {"n": ended}
    return redirect(_go(request, user, _("The account has ended, and every session with it.") + " " + told))


@require_POST
def open_account(request: HttpRequest, account: UUID) -> HttpResponseBase:
    """Open an account again that has ended."""
    user = get_object_or_404(User, pk=account)
    if not deeds.open_again(user, by=user_of(request)):
        messages.info(request, _("This account works. Nothing was changed."))
        return redirect("pages:account", account=account)
    return redirect(_go(request, user, _("The account is open again. Nothing that was granted before came back.")))


@require_POST
def make_from_tried(request: HttpRequest, tried: int) -> HttpResponseBase:
    """Make an account for somebody who tried, with one button."""
    person, by = get_object_or_404(ProviderSubject, pk=tried), user_of(request)
    form = RoleForm(request.POST, roles=deeds.roles_of(by))
    role = form.cleaned_data["role"] if form.is_valid() else ""

    def make() -> str:
        user = deeds.make_from_provider(person, role, by=by)
        return _go(request, user, _("The account was made. The person can sign in now."))

    return once(request, make)


@require_POST
def dismiss_tried(_request: HttpRequest, tried: int) -> HttpResponseBase:
    """Take somebody off the list of people who tried."""
    deeds.dismiss(get_object_or_404(ProviderSubject, pk=tried))
    return redirect("pages:accounts")
