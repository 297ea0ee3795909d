"""The custody app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CustodyConfig(AppConfig):
    """Gathers the kinds of entries of all apps."""

    name = "archive.custody"

    def ready(self) -> None:
        """Import every app's `custody_kinds`."""
        autodiscover_modules("custody_kinds")
