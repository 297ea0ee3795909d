"""What the apps above know about a meeting, for its page. Whoever knows something registers when its app is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from archive.accounts.models import User
from archive.recordings.contributions import Section

from .models import Meeting

Provider = Callable[[Meeting, User], Section | None]
_PROVIDERS: Final[list[Provider]] = []


def provide(provider: Provider) -> None:
    """Let `provider` add to each meeting's page what a reader may see; registration gives the order."""
    _PROVIDERS.append(provider)


def sections_of(meeting: Meeting, reader: User) -> list[Section]:
    """Return what all providers add for `reader`."""
    return [section for provider in _PROVIDERS if (section := provider(meeting, reader)) is not None]
