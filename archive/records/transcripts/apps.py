"""The transcripts app."""

from __future__ import annotations

from django.apps import AppConfig


class TranscriptsConfig(AppConfig):
    """Transcripts, brought by people or drafted by the computer: beside the player, and never the record itself."""

    name = "archive.records.transcripts"

    def ready(self) -> None:
        """Tell the recording's page and its copies, and register the worker's job."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - models need ready apps
        from archive.recordings import companions  # noqa: PLC0415 - the same
        from archive.recordings.contributions import provide  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .machine_deeds import LOOK_S, draft_asked  # noqa: PLC0415 - the same
        from .reach import copies_of  # noqa: PLC0415 - the same

        companions.register(copies_of, written=True)
        provide(contribution)
        JOBS.append(Job("drafting transcripts", LOOK_S, draft_asked, lane="transcripts"))
