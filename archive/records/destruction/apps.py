"""The destruction app."""

from __future__ import annotations

from django.apps import AppConfig


class DestructionConfig(AppConfig):
    """Destruction for good: two people, parents told, no hold, no open request, a day of rest, and a certificate."""

    name = "archive.records.destruction"

    def ready(self) -> None:
        """Let no key be destroyed otherwise, have the worker finish what was decided, and tell the recording's page."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - the same
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.keystore.recording_keys import register_guard  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .finish_deeds import LOOK_S, finish_all  # noqa: PLC0415 - the same
        from .reach import scopes_of_destruction, why_not_decided  # noqa: PLC0415 - the same

        JOBS.append(Job("finishing destructions", LOOK_S, finish_all))
        register_resolver(SubjectType.DESTRUCTION, scopes_of_destruction)
        register_guard(why_not_decided)
        provide(contribution)
