"""Addresses of evidence packages."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_RECORDING: Final = "recordings/<recording:recording>/"
_OUTSIDE: Final = "outside-recordings/<recording:outside>/"
urlpatterns: list[URLPattern] = [
    path(f"{_RECORDING}evidence/", views.evidence, name="evidence"),
    path(f"{_RECORDING}evidence.zip", views.evidence_file, name="evidence-file"),
    path(f"{_OUTSIDE}evidence/", views.evidence, name="evidence-outside"),
    path(f"{_OUTSIDE}evidence.zip", views.evidence_file, name="evidence-file-outside"),
]
