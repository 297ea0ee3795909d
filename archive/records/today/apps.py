"""The today app."""

from __future__ import annotations

from django.apps import AppConfig


class TodayConfig(AppConfig):
    """The first page of each person: what is due today; and the readiness report."""

    name = "archive.records.today"
