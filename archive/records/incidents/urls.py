"""Addresses of incident records: each meeting has at most one."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_ONE: Final = "meetings/<uuid:meeting>/incident/"
urlpatterns: list[URLPattern] = [
    path(_ONE, views.incident, name="incident"),
    path(f"{_ONE}new/", views.incident_new, name="incident-new"),
    path(f"{_ONE}edit/", views.incident_edit, name="incident-edit"),
    path(f"{_ONE}letter/", views.incident_letter, name="incident-letter"),
]
