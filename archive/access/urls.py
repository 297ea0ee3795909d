"""The first page's address."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import first

urlpatterns: list[URLPattern] = [path("", first, name="first")]
