"""The core app."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.core"
