"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView


class SignIn(LoginView):
    """The sign-in page; who is signed in already goes on to the first page."""

    template_name = "ui/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Signs out, by POST only, so that no link elsewhere can."""
