"""Addresses of the sign-in."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import SignIn, SignOut

urlpatterns: list[URLPattern] = [
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
]
