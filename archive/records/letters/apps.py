"""The letters app."""

from __future__ import annotations

from django.apps import AppConfig


class LettersConfig(AppConfig):
    """Letters: approved texts in two languages, merged, printed, and how they were delivered."""

    name = "archive.records.letters"

    def ready(self) -> None:
        """Tell the access app which student a letter is about."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same

        from .reach import scopes_of_letter  # noqa: PLC0415 - the same

        register_resolver(SubjectType.LETTER, scopes_of_letter)
