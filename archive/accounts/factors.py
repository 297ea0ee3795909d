"""The second factor of a person's own account: authenticator app, passkeys, recovery codes; allauth's views, our pages.

Each change is one transaction with the entry that archive.access makes of the event.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal.auth import begin_registration
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.safestring import SafeString

from archive.core.deeds import one_deed

from . import sessions
from .events import factor_added, factor_removed, recovery_code_used, second_factor_refused
from .models import User
from .typed import remember

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What is a second factor; recovery codes only stand in for one."""


def factors_of(user: User) -> list[Authenticator]:
    """Return the second factors of `user`, oldest first."""
    return list(Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("created_at", "pk"))


def options(given: dict[str, Any]) -> str:
    """Return what the passkey script needs (`publicKey` and what is in it), as JSON for an attribute."""
    return json.dumps(given, default=dict)


class SecondFactor(AuthenticateView):
    """The second half of a sign-in."""

    template_name = "accounts/second_factor.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Finish the sign-in; a recovery code that was used is an entry."""
        factor = getattr(form, "authenticator", None)
        with one_deed():
            if factor is not None and factor.type == Authenticator.Type.RECOVERY_CODES:
                recovery_code_used.send(None, user=self.stage.login.user)
            return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again; one attempt too many is told to programs as well."""
        response: HttpResponse = super().form_invalid(form)
        if "credential" in form.errors:
            second_factor_refused.send(None, user=self.stage.login.user)
        if getattr(form, "wait", None) is not None:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(int(form.wait.total_seconds()) + 1)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add which factors there are."""
        words = super().get_context_data(**kwargs)
        types = {factor.type for factor in factors_of(self.stage.login.user)}
        return {
            **words,
            "options": options(words["js_data"]["request_options"]),
            "has_app": "totp" in types,
            "has_passkey": "webauthn" in types,
        }


class SignInByPasskey(LoginWebAuthnView):
    """A sign-in with nothing but a passkey, which is both factors: the device asks for finger, face or number."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Finish the sign-in."""
        remember(self.request, self.request.POST.get("typed", ""))
        return super().form_valid(form)  # type: ignore[no-any-return]


class Confirm(ReauthenticateView):
    """Shows who somebody is, by the password, before they change how they sign in."""

    template_name = "accounts/confirm.html"


class ConfirmByCode(ReauthenticateByCodeView):
    """The same by a code."""

    template_name = "accounts/confirm.html"


class ConfirmByPasskey(ReauthenticateWebAuthnView):
    """The same by a passkey."""

    template_name = "accounts/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the script needs."""
        words = super().get_context_data(**kwargs)
        return {**words, "options": options(words["js_data"]["request_options"])}


class AddApp(ActivateTOTPView):
    """Sets an authenticator app up."""

    template_name = "accounts/add_app.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, sign out everywhere else, and count this session as one with a second factor."""
        with one_deed():
            _add(self.request, Authenticator.Type.TOTP)
            return super().form_valid(form)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the code to scan; it is drawn into the page, since nothing inline may be loaded."""
        words = super().get_context_data(**kwargs)
        secret = words["form"].secret
        grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        # qrcode draws it of our own address; the declaration before <svg> would stand inside a page
        picture = words["totp_svg"]
        return {**words, "secret": grouped, "picture": SafeString(picture[picture.index("<svg") :])}


class RemoveApp(DeactivateTOTPView):
    """Takes an authenticator app away."""

    template_name = "accounts/remove_factor.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go back where there is none: it may have been taken away in another window."""
        if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).exists():
            return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it."""
        with one_deed():
            factor_removed.send(None, user=self.request.user, factor=Authenticator.Type.TOTP)
            response: HttpResponse = super().form_valid(form)
            _note_removed(self.request)
        return response


class AddPasskey(AddWebAuthnView):
    """Adds a passkey."""

    template_name = "accounts/add_passkey.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, as with an app."""
        with one_deed():
            _add(self.request, Authenticator.Type.WEBAUTHN)
            return super().form_valid(form)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the script needs: a passkey that signs in by itself, so one that knows its owner."""
        words = super().get_context_data(**kwargs)
        return {**words, "options": options(begin_registration(self.request.user, passwordless=True))}


class RemovePasskey(RemoveWebAuthnView):
    """Takes a passkey away."""

    template_name = "accounts/remove_factor.html"

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it."""
        with one_deed():
            factor_removed.send(None, user=self.request.user, factor=Authenticator.Type.WEBAUTHN)
            response: HttpResponse = super().form_valid(form)
            _note_removed(self.request)
        return response


class RecoveryCodes(ViewRecoveryCodesView):
    """Shows recovery codes, once."""

    template_name = "accounts/recovery_codes.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go back where there are none."""
        if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).exists():
            return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]


class NewRecoveryCodes(GenerateRecoveryCodesView):
    """Makes new recovery codes; the older ones stop working."""

    template_name = "accounts/new_recovery_codes.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Make them."""
        with one_deed():
            factor_added.send(None, user=self.request.user, factor=Authenticator.Type.RECOVERY_CODES)
            return super().form_valid(form)  # type: ignore[no-any-return]


def remove_all(user: User) -> int:
    """Take every factor of `user` away, recovery codes too, and return how many there were: for who lost a phone."""
    removed, _by_model = Authenticator.objects.filter(user=user).delete()
    return int(removed)


def _add(request: HttpRequest, factor: str) -> None:
    user = request.user
    assert isinstance(user, User), "allauth asked for a sign-in"  # noqa: S101
    factor_added.send(None, user=user, factor=factor)
    sessions.end_sessions(user, but=request.session.session_key or "")
    sessions.set_second_factor(request.session, proved=True)


def _note_removed(request: HttpRequest) -> None:
    if not isinstance(request.user, User) or not factors_of(request.user):
        sessions.set_second_factor(request.session, proved=False)
