"""The ui app."""

from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Pages, their templates and their static files."""

    name = "archive.ui"
