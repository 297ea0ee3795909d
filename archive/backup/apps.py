"""The backup app."""

from __future__ import annotations

from django.apps import AppConfig


class BackupConfig(AppConfig):
    """Known to Django for its commands."""

    name = "archive.backup"
