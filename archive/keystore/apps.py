"""The keystore app."""

from __future__ import annotations

from django.apps import AppConfig


class KeystoreConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.keystore"
