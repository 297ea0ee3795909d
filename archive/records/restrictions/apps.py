"""The restrictions app."""

from __future__ import annotations

from django.apps import AppConfig


class RestrictionsConfig(AppConfig):
    """Restricted passages: fewer people hear them, until somebody decides."""

    name = "archive.records.restrictions"

    def ready(self) -> None:
        """Tell which parts are audible, and the recording's page."""
        from archive.recordings import parts  # noqa: PLC0415 - models need ready apps
        from archive.recordings.contributions import provide  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .reach import unrestricted_about, unrestricted_for  # noqa: PLC0415 - the same

        parts.register(unrestricted_for)
        parts.register_about(unrestricted_about)
        provide(contribution)
