"""The holds app."""

from __future__ import annotations

from django.apps import AppConfig


class HoldsConfig(AppConfig):
    """Holds: what may not be destroyed, whoever asks, as long as a matter is open."""

    name = "archive.records.holds"

    def ready(self) -> None:
        """Let key store and bucket ask what is held, and the recording's page say what holds it."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.keystore.recording_keys import register_guard  # noqa: PLC0415 - the same
        from archive.recordings.staying import register_holds  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .reach import ever_held, held_now, scopes_of_matter, why_held  # noqa: PLC0415 - the same

        register_resolver(SubjectType.MATTER, scopes_of_matter)
        register_guard(why_held)
        register_holds(held_now, ever_held)
        provide(contribution)
