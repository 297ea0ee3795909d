"""The operations app."""

from __future__ import annotations

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.operations"
