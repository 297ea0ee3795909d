"""The app of incident records."""

from __future__ import annotations

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incident records: what is missing of a meeting that a parent recorded, why, who was told, and what was done."""

    name = "archive.records.incidents"

    def ready(self) -> None:
        """Tell the meeting's page."""
        from archive.records.meetings.sections import SECTIONS  # noqa: PLC0415 - models need ready apps

        from .meeting_section import section  # noqa: PLC0415 - the same

        SECTIONS.provide(section)
