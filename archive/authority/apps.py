"""The authority app."""

from __future__ import annotations

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """The district's certificate authority."""

    name = "archive.authority"

    def ready(self) -> None:
        """Register the worker's job."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - one way for all apps

        from .jobs import RENEW_S, renew  # noqa: PLC0415 - it reads the settings

        JOBS.append(Job("renewing certificates", RENEW_S, renew))
