"""The meetings app."""

from __future__ import annotations

from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    """Notices, meetings, the opening with its notes, and filing recordings under meetings."""

    name = "archive.records.meetings"

    def ready(self) -> None:
        """Tell the access app which students a meeting and a recording are about, and register the worker's job."""
        from archive.access.scopes import register_recordings, register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - the same
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.recordings import parts  # noqa: PLC0415 - the same
        from archive.recordings.contributions import provide  # noqa: PLC0415 - the same
        from archive.records.people.sections import SECTIONS  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .filing_deeds import PROPOSE_S, propose_all  # noqa: PLC0415 - the same
        from .opening_deeds import PLACE_S, place_notes  # noqa: PLC0415 - the same
        from .reach import (  # noqa: PLC0415 - the same
            audible_parts,
            parts_about,
            recordings_in,
            scopes_of_meeting,
            scopes_of_recording,
        )
        from .student_section import section  # noqa: PLC0415 - the same

        JOBS.append(Job("placing notes", PLACE_S, place_notes))
        JOBS.append(Job("filing by room and time", PROPOSE_S, propose_all))
        register_resolver(SubjectType.MEETING, scopes_of_meeting)
        register_resolver(SubjectType.RECORDING, scopes_of_recording)
        register_recordings(recordings_in)
        parts.register(audible_parts)
        parts.register_about(parts_about)
        provide(contribution)
        SECTIONS.provide(section)
