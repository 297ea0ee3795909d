"""What the apps above know about a thing, for its page. Whoever knows something registers when its app is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from archive.accounts.models import User
from archive.recordings.contributions import Section

Thing = TypeVar("Thing")


class Sections(Generic[Thing]):
    """The sections that the apps above add to the page of one kind of thing."""

    def __init__(self) -> None:
        self._providers: list[Callable[[Thing, User], Section | None]] = []

    def provide(self, provider: Callable[[Thing, User], Section | None]) -> None:
        """Let `provider` add to each page what its reader may see; registration gives the order."""
        self._providers.append(provider)

    def of(self, thing: Thing, reader: User) -> list[Section]:
        """Return what all providers add for `reader`."""
        return [section for provider in self._providers if (section := provider(thing, reader)) is not None]
