"""The app of incident records."""

from __future__ import annotations

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incident records: what is missing of a meeting that a parent recorded, why, who was told, and what was done."""

    name = "archive.records.incidents"

    def ready(self) -> None:
        """Tell the meeting's page, and register the worker's job."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - models need ready apps
        from archive.records.meetings.sections import SECTIONS  # noqa: PLC0415 - the same

        from .look_deeds import LOOK_S, look_again  # noqa: PLC0415 - the same
        from .meeting_section import section  # noqa: PLC0415 - the same

        JOBS.append(Job("looking at meetings that changed", LOOK_S, look_again))
        SECTIONS.provide(section)
