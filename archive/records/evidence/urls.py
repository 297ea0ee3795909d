"""Addresses of evidence packages."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from . import views

_RECORDING: Final = "recordings/<recording:recording>/"
urlpatterns: list[URLPattern] = [
    path(f"{_RECORDING}evidence/", views.evidence, name="evidence"),
    path(f"{_RECORDING}evidence.zip", views.evidence_file, name="evidence-file"),
]
