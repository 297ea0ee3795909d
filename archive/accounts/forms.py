"""The forms of signing in: each attempt is counted before it is looked at (archive.accounts.throttle)."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import throttle
from .events import second_factor_refused, sign_in_throttled
from .models import SignInAttempt, User

COOKIE: Final = "device"
"""Name of the device cookie; with https `__Host-` stands before it."""
REPLAY_S: Final = 120.0
"""A code of an authenticator app is taken once within so long, in seconds: longer than any code is valid."""


class ThrottledError(ValidationError):
    """What a form says of an attempt that is not looked at."""

    def __init__(self, wait: timedelta) -> None:
        minutes = math.ceil(wait / timedelta(minutes=1))
        words = ngettext(
            "Too many attempts failed. Wait %(minutes)d minute, then try again.",
            "Too many attempts failed. Wait %(minutes)d minutes, then try again.",
            minutes,
        )
        super().__init__(words % {"minutes": minutes}, code="throttled")
        self.wait = wait
        """How long to wait."""


def begin_attempt(request: HttpRequest, who: str | User) -> SignInAttempt:
    """Count an attempt with a password (of a name) or with a code (of a user); raise ThrottledError."""
    source = throttle.Source(request.META.get("REMOTE_ADDR", ""), request.COOKIES.get(cookie_name(), ""))
    try:
        if isinstance(who, User):
            return throttle.begin_second_factor(who, source)
        return throttle.begin(who, source)
    except throttle.TooManyAttemptsError as error:
        sign_in_throttled.send(None, who=who)
        raise ThrottledError(error.wait) from error


def cookie_name() -> str:
    """Return the device cookie's name."""
    return f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE


class SignInForm(AuthenticationForm):
    """Name and password, unless too many attempts failed."""

    error_messages = {  # noqa: RUF012 - Django declares it as an instance variable
        **AuthenticationForm.error_messages,
        "invalid_login": _("The name or the password is wrong. Passwords are case-sensitive."),
    }
    wait: timedelta | None = None
    """How long to wait, if the attempt was not looked at."""

    def clean(self) -> dict[str, Any]:
        """Check name and password; an attempt that is too many is refused before its password is looked at."""
        username = self.cleaned_data.get("username")
        if self.request is None or not username or not self.cleaned_data.get("password"):
            return super().clean()
        try:
            attempt = begin_attempt(self.request, username)
        except ThrottledError as error:
            self.wait = error.wait
            raise
        cleaned = super().clean()
        throttle.succeeded(attempt)
        return cleaned


class _Code(forms.Form):
    """A code of an authenticator app, or a recovery code."""

    wait: timedelta | None = None
    """How long to wait, if the attempt was not looked at."""

    def clean_code(self) -> str:
        """Check the code; each is good once, also for who looked over a shoulder."""
        try:
            attempt = begin_attempt(context.request, self.user)  # type: ignore[attr-defined]  # allauth's form has it
        except ThrottledError as error:
            self.wait = error.wait
            raise
        code: str = super().clean_code()  # type: ignore[misc]  # the same
        if not self._is_new(code):
            raise ValidationError(_("This code was used already. Wait for the next one."), code="used")
        throttle.succeeded(attempt)
        return code

    @transaction.atomic
    def _is_new(self, code: str) -> bool:
        # allauth keeps used codes in a cache that the worker processes do not share
        row = Authenticator.objects.select_for_update().get(pk=self.authenticator.pk)  # type: ignore[attr-defined]
        if row.type != Authenticator.Type.TOTP:
            return True
        now, digits = time.time(), "".join(filter(str.isdigit, code))
        used = {one: at for one, at in row.data.get("used", {}).items() if now - at < REPLAY_S}
        row.data["used"] = {**used, digits: used.get(digits, now)}
        row.save(update_fields=["data"])
        return digits not in used

    def _emit_authentication_failed(self, _authenticator: Any) -> None:
        second_factor_refused.send(None, user=self.user)  # type: ignore[attr-defined]  # allauth's form has it


class CodeForm(_Code, AuthenticateForm):
    """The code that ends a sign-in."""


class ConfirmingCodeForm(_Code, ReauthenticateForm):
    """A code of somebody who is signed in, before they change how they sign in."""


class ConfirmingPasswordForm(forms.Form):
    """A password of somebody who is signed in, for the same."""

    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Check it; attempts count as at the sign-in."""
        password: str = self.cleaned_data["password"]
        if not get_adapter().reauthenticate(self.user, password):
            raise ValidationError(_("The password is wrong. Passwords are case-sensitive."), code="wrong")
        return password


class OwnPasswordForm(PasswordChangeForm):
    """A new password in place of the one that is typed as well."""

    def clean_old_password(self) -> str:
        """Check the old one; attempts count as at the sign-in."""
        attempt = begin_attempt(context.request, self.user.get_username())
        password: str = super().clean_old_password()
        throttle.succeeded(attempt)
        return password
