"""Pages of the list of recordings, found by where the last one ended: the last page costs what the first one does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from appliance.contract.times import parse_wall, wall

from .models import Recording

PER_PAGE: Final = 50
MAX_COUNT: Final = 1000
"""Recordings are counted up to here; counting all of 100,000 costs more than the page."""


@dataclass(frozen=True)
class Place:
    """Where in the list a recording stands."""

    at: datetime
    """By what moment it is listed."""
    id: str
    """Its identifier, which decides between equal moments."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the place that an address names, or None if it names none."""
        at, _, name = text.partition("_")
        try:
            return cls(parse_wall(at), name)
        except ValueError:
            return None

    def __str__(self) -> str:
        """Return it for an address."""
        return f"{wall(self.at)}_{self.id}"


@dataclass(frozen=True)
class Listing:
    """One page of the list."""

    rows: list[Recording]
    """Newest first."""
    newer: Place | None
    """What the page before this one ends with, or None on the first."""
    older: Place | None
    """What the page after this one begins behind, or None on the last."""
    count: int
    """How many recordings fit, at most MAX_COUNT and one."""

    @property
    def count_words(self) -> str:
        """The count, or that there are more than were counted."""
        return str(self.count) if self.count <= MAX_COUNT else _("more than {count}").format(count=MAX_COUNT)


def page(rows: QuerySet[Recording], before: str = "", after: str = "", size: int = PER_PAGE) -> Listing:
    """Return the page that follows the place `before`, or precedes the place `after`; the first where both are empty.

    Two queries, bounded by `size` and MAX_COUNT whatever the table holds.
    """
    rows = rows.defer("header", "receipt")
    count = rows.order_by().values("pk")[: MAX_COUNT + 1].count()
    start, end = Place.parse(before), Place.parse(after)
    if end is not None:
        later = rows.filter(listed_at__gte=end.at).filter(Q(listed_at__gt=end.at) | Q(pk__gt=end.id))
        found = list(later.order_by("listed_at", "pk")[: size + 1])
        shown = found[:size][::-1]
        newer, older = len(found) > size, True
    else:
        if start is not None:
            rows = rows.filter(listed_at__lte=start.at).filter(Q(listed_at__lt=start.at) | Q(pk__lt=start.id))
        found = list(rows.order_by("-listed_at", "-pk")[: size + 1])
        shown = found[:size]
        newer, older = start is not None, len(found) > size
    first, last = (_place(shown[0]), _place(shown[-1])) if shown else (None, None)
    return Listing(shown, first if newer else None, last if older else None, count)


def _place(row: Recording) -> Place:
    return Place(row.listed_at, row.pk)
