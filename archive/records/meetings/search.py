"""The meetings that somebody may see."""

from __future__ import annotations

from typing import Final

from django.db.models import Prefetch, QuerySet

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.access.scopes import Reach
from archive.accounts.models import User
from archive.records.people.search import reached

from .models import Filing, Meeting

FILINGS: Final = Prefetch(
    "filings", Filing.objects.select_related("recording").defer("recording__header", "recording__receipt")
)
"""The recordings that are filed under a meeting, without what is large of them."""


def meetings_of(user: User) -> QuerySet[Meeting]:
    """Return the meetings that `user` may see, with what pages say of them."""
    return meetings_in(reach_of(user, Deed.MEETINGS))


def meetings_in(reach: Reach) -> QuerySet[Meeting]:
    """Return the meetings in `reach`, with what pages say of them."""
    return (
        Meeting.objects.filter(reached(reach, "student"))
        .select_related("student", "room", "facilitator", "incident")
        .prefetch_related("notices", FILINGS, "events")
    )
