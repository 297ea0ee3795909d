"""The sign-in form."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.dispatch import Signal

from . import throttle

sign_in_throttled: Signal = Signal()
"""Sent with `username` when an attempt is not looked at because too many failed."""
COOKIE = "device"
"""Name of the device cookie; with https `__Host-` stands before it."""


class SignInForm(AuthenticationForm):
    """Name and password, unless too many attempts failed."""

    error_messages = {  # noqa: RUF012 - Django declares it as an instance variable
        **AuthenticationForm.error_messages,
        "invalid_login": "The name or the password is wrong. Passwords are case-sensitive.",
    }
    wait: timedelta | None = None
    """How long to wait, if the attempt was not looked at."""

    def clean(self) -> dict[str, Any]:
        """Check name and password; an attempt that is too many is refused before its password is looked at."""
        username = self.cleaned_data.get("username")
        if self.request is None or not username or not self.cleaned_data.get("password"):
            return super().clean()
        source = throttle.Source(self.request.META.get("REMOTE_ADDR", ""), self.request.COOKIES.get(cookie_name(), ""))
        try:
            attempt = throttle.begin(username, source)
        except throttle.TooManyAttemptsError as error:
            self.wait = error.wait
            sign_in_throttled.send(type(self), username=username)
            minutes = math.ceil(error.wait / timedelta(minutes=1))
            raise ValidationError(
                f"Too many attempts failed. Wait {minutes} minute{'s' * (minutes != 1)}, then try again.",
                code="throttled",
            ) from error
        cleaned = super().clean()
        throttle.succeeded(attempt)
        return cleaned


def cookie_name() -> str:
    """Return the device cookie's name."""
    return f"__Host-{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE
