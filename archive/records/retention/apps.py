"""The retention app."""

from __future__ import annotations

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Retention: how long recordings are kept, as the district decided on advice."""

    name = "archive.records.retention"

    def ready(self) -> None:
        """Let the recording's page say how long it is kept."""
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - models need ready apps

        from .contribution import contribution  # noqa: PLC0415 - the same

        provide(contribution)
