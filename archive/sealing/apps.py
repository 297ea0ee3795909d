"""The sealing app."""

from __future__ import annotations

from django.apps import AppConfig


class SealingConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.sealing"

    def ready(self) -> None:
        """Tell core what says that the sealer runs."""
        from archive.core.health import is_alive, register  # noqa: PLC0415 - Django imports no model before its apps are ready

        register("sealer", lambda: is_alive("sealer"))
