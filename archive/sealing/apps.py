"""The sealing app."""

from __future__ import annotations

from django.apps import AppConfig


class SealingConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.sealing"
