"""The backup app."""

from __future__ import annotations

from django.apps import AppConfig


class BackupConfig(AppConfig):
    """Known to Django for its commands."""

    name = "archive.backup"

    def ready(self) -> None:
        """Register what a monitor is told."""
        from archive.core.metrics import provide  # noqa: PLC0415 - models are there only once the apps are ready

        from .metrics import gauges  # noqa: PLC0415 - the same

        provide(gauges)
