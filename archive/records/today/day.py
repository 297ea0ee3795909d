"""Whose day the first page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from archive.access.decisions import reaches_of
from archive.access.deeds import Deed
from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.rooms.cards import Card
from archive.rooms.views import cards_now

MOST: Final = 20
"""Most tasks of one list."""


@dataclass(frozen=True)
class Day:
    """Whose day it is, and what several of its lists ask for: each is asked once a page."""

    user: User
    now: datetime
    """The moment; its zone is that of the words."""
    reaches: Mapping[Deed, Reach]
    """How far `user` may do each deed."""

    @cached_property
    def cards(self) -> list[Card]:
        """What is known of each box."""
        return cards_now(self.now.tzinfo)

    def may(self, deed: Deed) -> bool:
        """Tell whether the user may do `deed` to anything."""
        return bool(self.reaches[deed].scopes)

    @classmethod
    def of(cls, user: User, now: datetime) -> Day:
        """Return the day of `user` at the moment `now`."""
        return cls(user, now, reaches_of(user, *Deed))
