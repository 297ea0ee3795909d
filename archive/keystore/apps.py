"""The keystore app."""

from __future__ import annotations

from django.apps import AppConfig


class KeystoreConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.keystore"

    def ready(self) -> None:
        """Tell core what says that the keys can be read."""
        from archive.core.health import register  # noqa: PLC0415 - Django imports no model before its apps are ready

        from .current import keystore  # noqa: PLC0415 - the same

        register("keys", lambda: bool(keystore().public))
