"""The evidence app."""

from __future__ import annotations

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """The evidence package of a recording, and what the summary in it says."""

    name = "archive.records.evidence"

    def ready(self) -> None:
        """Tell the summary's chapters that the apps below know, and the recording's page."""
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - models need ready apps

        from .chapters import register  # noqa: PLC0415 - the same
        from .contribution import contribution  # noqa: PLC0415 - the same
        from .known import meeting_chapter, statement_chapter  # noqa: PLC0415 - the same

        register(meeting_chapter)
        register(statement_chapter)
        provide(contribution)
