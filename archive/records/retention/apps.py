"""The retention app."""

from __future__ import annotations

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Retention: how long recordings are kept, as the district decided on advice."""

    name = "archive.records.retention"

    def ready(self) -> None:
        """Let the recording's page say how long it is kept, and a bucket for how long its lock is renewed."""
        from archive.recordings.staying import register_period  # noqa: PLC0415 - models need ready apps
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .reach import may_go_on  # noqa: PLC0415 - the same

        provide(contribution)
        register_period(may_go_on)
