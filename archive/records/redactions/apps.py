"""The redactions app."""

from __future__ import annotations

from django.apps import AppConfig


class RedactionsConfig(AppConfig):
    """Redacted copies, made by the worker, compared with the original, and signed off by a second listener."""

    name = "archive.records.redactions"

    def ready(self) -> None:
        """Have the worker make what was asked for; tell what parents hear, and the recording's page."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - models need ready apps
        from archive.recordings import parts  # noqa: PLC0415 - the same
        from archive.recordings.contributions import provide  # noqa: PLC0415 - the same

        from .clear_deeds import CLEAR_S, clear_withdrawn  # noqa: PLC0415 - the same
        from .contribution import contribution  # noqa: PLC0415 - the same
        from .make_deeds import LOOK_S, make_asked  # noqa: PLC0415 - the same
        from .reach import heard_by_parents, left_in_about  # noqa: PLC0415 - the same

        JOBS.append(Job("making redacted copies", LOOK_S, make_asked, lane="redacting"))
        JOBS.append(Job("clearing withdrawn copies", CLEAR_S, clear_withdrawn, lane="redacting"))
        parts.register(heard_by_parents)
        parts.register_about(left_in_about)
        provide(contribution)
