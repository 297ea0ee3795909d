"""The requests app."""

from __future__ import annotations

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    """What parents ask for: access, a copy, an explanation, an amendment; and their own pages."""

    name = "archive.records.requests"

    def ready(self) -> None:
        """Tell the access app which student a request or an amendment is about, and the pages what is open."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.recordings import companions  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.companions import register_outside  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same
        from archive.records.people.sections import SECTIONS  # noqa: PLC0415 - the same

        from .contribution import contribution  # noqa: PLC0415 - the same
        from .custody_kinds import SUPERVISED  # noqa: PLC0415 - the same
        from .reach import scopes_of_case, statements_of, statements_with  # noqa: PLC0415 - the same
        from .record_of_access import listener_of, register_party  # noqa: PLC0415 - the same
        from .student_section import section  # noqa: PLC0415 - the same

        companions.register(statements_of)
        register_outside(statements_with)
        provide(contribution)
        register_party(SUPERVISED.code, listener_of)
        register_resolver(SubjectType.CASE, scopes_of_case)
        SECTIONS.provide(section)
