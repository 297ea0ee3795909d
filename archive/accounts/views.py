"""Signing in and out."""

from __future__ import annotations

import math
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse

from . import throttle
from .forms import SignInForm, cookie_name


class SignIn(LoginView):
    """The sign-in page; who is signed in already goes on to the first page."""

    template_name = "ui/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, and make the browser known as one of this person's."""
        response = super().form_valid(form)
        response.set_cookie(
            cookie_name(),
            throttle.device_cookie(form.get_user()),
            max_age=throttle.COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again; an attempt that was one too many is told to programs as well."""
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.wait is not None:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(math.ceil(form.wait.total_seconds()))
        return response


class SignOut(LogoutView):
    """Signs out, by POST only, so that no link elsewhere can."""
