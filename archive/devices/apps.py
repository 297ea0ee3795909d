"""The devices app."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Devices."""

    name = "archive.devices"

    def ready(self) -> None:
        """Tell core what says that the listener hears."""
        from archive.core.health import register  # noqa: PLC0415 - Django imports no model before its apps are ready

        from .listener import hears  # noqa: PLC0415 - the same

        register("listener", hears)
