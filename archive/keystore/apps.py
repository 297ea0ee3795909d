"""The keystore app."""

from __future__ import annotations

from django.apps import AppConfig


class KeystoreConfig(AppConfig):
    """Known to Django for its commands and tables."""

    name = "archive.keystore"

    def ready(self) -> None:
        """Tell core what says that the keys can be read; without them nothing is served."""
        from archive.core.health import register  # noqa: PLC0415 - Django imports no model before its apps are ready
        from archive.core.jobs import JOBS, REQUIRED, Job  # noqa: PLC0415 - the same
        from archive.core.metrics import provide  # noqa: PLC0415 - the same

        from .current import keystore  # noqa: PLC0415 - the same
        from .generations import FORGET_S, forget_due  # noqa: PLC0415 - the same
        from .metrics import gauges  # noqa: PLC0415 - the same

        JOBS.append(Job("forgetting old copies of the keys", FORGET_S, forget_due))
        REQUIRED.append(keystore)
        register("keys", lambda: bool(keystore().public), serving=True)
        provide(gauges)
