"""Signing in and out, the first password by an invitation, and a person's own sign-ins."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.core.deeds import one_deed

from . import invitations, sessions
from .browsers import browser_name
from .events import password_set, sessions_ended
from .factors import factors_of
from .forms import OwnPasswordForm, SignInForm
from .models import Invitation, User
from .pages import refused_page, sign_in_words
from .typed import remember


class SignIn(LoginView):
    """The sign-in page; who is signed in already goes on to the first page."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the provider's button, and carry along what was typed before."""
        words = super().get_context_data(**kwargs)
        typed = self.request.POST.get("typed", "")
        return {**words, **sign_in_words(self.request, next_page=words["next"], typed=typed, form=words["form"])}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Go on with the sign-in: to the second factor, if the account has one."""
        remember(self.request, self.request.POST.get("typed", ""))
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": user.get_username()}, login)  # type: ignore[no-any-return]

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again; an attempt that was one too many is told to programs as well."""
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.wait is not None:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(math.ceil(form.wait.total_seconds()))
        return response


class SignOut(LogoutView):
    """Signs out, by POST only, so that no link elsewhere can; on a shared screen it leads back to where it began."""

    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """End the session."""
        kiosk = sessions.at_kiosk(request.session)
        answer = super().post(request, *args, **options)
        return redirect(f"{reverse('pages:kiosk')}?left=1") if kiosk else answer


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, text: str) -> HttpResponseBase:
    """Let somebody who was invited set a password, and sign them in."""
    found = invitations.find(text)
    if found is None:
        message = _("It was used already, or is older than %(days)d days, or a newer one was made.")
        days = {"days": invitations.VALID_FOR.days}
        return refused_page(request, _("This link does not work any more"), message % days, status=HTTPStatus.GONE)
    form = SetPasswordForm(found.user, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/invitation.html", {"form": form, "invited": found.user})
    # made before: it takes a while on purpose
    form.save(commit=False)
    with one_deed():
        # of two who press the button at once, one is first
        if not Invitation.objects.filter(pk=found.pk, digest=found.digest).delete()[0]:
            return redirect("pages:invitation", text=text)
        password_set.send(None, user=found.user)
        found.user.save(update_fields=["password"])
        sessions.end_sessions(found.user)
    login = Login(user=found.user, redirect_url="/")
    return perform_password_login(request, {"username": found.user.get_username()}, login)  # type: ignore[no-any-return]


@require_safe
def own_sign_ins(request: HttpRequest) -> HttpResponseBase:
    """Show a person's own sessions and factors."""
    user = _user(request)
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    factors = factors_of(user)
    words = {
        "sessions": [
            {
                "browser": browser_name(one.user_agent),
                "row": one,
                "current": one.session_key == request.session.session_key,
            }
            for one in sorted(UserSession.objects.purge_and_list(user), key=lambda one: one.last_seen_at, reverse=True)
        ],
        "app": next((one for one in factors if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "place": "own-sign-ins",
    }
    return render(request, "accounts/own_sign_ins.html", words)


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponseBase:
    """End every other session of this person."""
    user, current = _user(request), request.session.session_key or ""
    with one_deed():
        count = sessions.count_open(user, but=current)
        if count:
            sessions_ended.send(None, user=user, count=count)
        sessions.end_sessions(user, but=current)
    words = ngettext("%(count)d other session was ended.", "%(count)d other sessions were ended.", count)
    messages.success(request, words % {"count": count})
    return redirect("mfa_index")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def own_password(request: HttpRequest) -> HttpResponseBase:
    """Replace one's own password; every other session ends."""
    user = _user(request)
    if not user.has_usable_password():
        return refused_page(request, _("You have no password here"), _("You sign in with your district's account."))
    form = OwnPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/own_password.html", {"form": form})
    # made before: it takes a while on purpose
    form.save(commit=False)
    with one_deed():
        password_set.send(None, user=user)
        user.save(update_fields=["password"])
        sessions.end_sessions(user, but=request.session.session_key or "")
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    messages.success(request, _("Your new password counts from now on. You were signed out everywhere else."))
    return redirect("mfa_index")


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User), "the sign-in is asked for before a view runs"  # noqa: S101
    return user
