"""The core app."""

from __future__ import annotations

from typing import Final

from django.apps import AppConfig

FORGET_S: Final = 24 * 3600.0
"""Pause between two looks for old forms, in seconds."""


class CoreConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.core"

    def ready(self) -> None:
        """Have the worker forget old forms, and what the database's log still has of what was deleted."""
        from .database_log import EMPTY_S, empty_log_now_and_then  # noqa: PLC0415 - the same as below
        from .jobs import JOBS, Job  # noqa: PLC0415 - Django imports no model before its apps are ready
        from .once import forget_old  # noqa: PLC0415 - the same

        JOBS.append(Job("forgetting old forms", FORGET_S, forget_old))
        JOBS.append(Job("emptying the database's log", EMPTY_S, empty_log_now_and_then, lane="database"))
