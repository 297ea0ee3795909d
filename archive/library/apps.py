"""The library app."""

from __future__ import annotations

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Pages, their templates and their static files."""

    name = "archive.library"
