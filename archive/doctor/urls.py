"""The address of the page that says what is left to do."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import checks

urlpatterns: list[URLPattern] = [path("archive/", checks, name="checks")]
