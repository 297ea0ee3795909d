"""The people app."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Students, the people who hold rights over their records, and staff."""

    name = "archive.records.people"

    def ready(self) -> None:
        """Tell the access app what lies in a school, and that a court order stands before every grant."""
        from archive.access.scopes import register_bars, register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same

        from .reach import barred_students, scopes_of_person, scopes_of_student  # noqa: PLC0415 - the same

        register_resolver(SubjectType.STUDENT, scopes_of_student)
        register_resolver(SubjectType.PERSON, scopes_of_person)
        register_bars(barred_students)
