"""The authority app."""

from __future__ import annotations

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """The district's certificate authority."""

    name = "archive.authority"

    def ready(self) -> None:
        """Register the worker's jobs."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - one way for all apps

        from .jobs import RENEW_S, renew, renew_of_brokers  # noqa: PLC0415 - it reads the settings

        JOBS.append(Job("renewing certificates", RENEW_S, renew))
        # each worker renews those of brokers on its own host
        JOBS.append(Job("renewing the brokers' certificates", RENEW_S, renew_of_brokers, alone=False))
