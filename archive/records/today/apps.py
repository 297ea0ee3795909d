"""The today app."""

from __future__ import annotations

from django.apps import AppConfig


class TodayConfig(AppConfig):
    """The first page of each person: what is due today; and the readiness report."""

    name = "archive.records.today"

    def ready(self) -> None:
        """Register the worker's job."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - models need ready apps

        from .deeds import LOOK_S, send_due_report  # noqa: PLC0415 - the same

        JOBS.append(Job("sending the readiness report", LOOK_S, send_due_report, lane="mail"))
