"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People who sign in."""

    name = "archive.accounts"

    def ready(self) -> None:
        """Follow sign-ins, look for the provider's secret before a start, and clear away what has ended."""
        from django.conf import settings  # noqa: PLC0415 - Django imports no model before its apps are ready
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415 - the same

        from archive.core.errors import register_typed  # noqa: PLC0415 - the same
        from archive.core.jobs import JOBS, REQUIRED, Job  # noqa: PLC0415 - the same

        from . import sessions  # noqa: PLC0415 - the same
        from .provider import secret_of  # noqa: PLC0415 - the same
        from .typed import after_failure  # noqa: PLC0415 - the same

        user_logged_in.connect(sessions.begin, dispatch_uid="accounts-session")
        register_typed(after_failure)
        JOBS.append(Job("clearing ended sessions away", sessions.FORGET_S, sessions.forget_ended))
        provider = settings.ARCHIVE.sign_in.provider
        if provider is not None:
            REQUIRED.append(lambda: secret_of(provider))
