"""The keeper app."""

from __future__ import annotations

from django.apps import AppConfig


class KeeperConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.keeper"
