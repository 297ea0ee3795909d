"""What a roster would change here: nothing is deleted, and what people corrected is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from django.utils import timezone

from archive.ui import words

Row = TypeVar("Row")
_WORDS: Final = {"local_id": "student number", "starts_at": "begin", "ends_at": "end", "cancelled": "canceled"}


@dataclass(frozen=True)
class Known:
    """What is here already of one row of a roster."""

    values: Mapping[str, Any]
    """Its fields, as the roster names them."""
    corrected: frozenset[str]
    """Fields that people corrected."""
    called: str = ""
    """What a person calls it."""


@dataclass(frozen=True)
class FieldChange:
    """One field that would get another value."""

    name: str
    before: Any
    after: Any

    @property
    def words(self) -> str:
        """The field as people call it."""
        return _WORDS.get(self.name, self.name.replace("_", " "))

    @property
    def told(self) -> tuple[str, str]:
        """Both values as people say them."""
        return _said(self.before), _said(self.after)


def _said(value: Any) -> str:
    match value:
        case None | "":
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return words.day_and_time(timezone.localtime(value))
        case date():
            return words.day(value)
        case _:
            return f"“{value}”"


@dataclass(frozen=True)
class Change:
    """One row that is here and would change."""

    source_id: str
    called: str
    fields: tuple[FieldChange, ...]


@dataclass
class Difference(Generic[Row]):
    """What one table of a roster would change."""

    added: dict[str, Row] = field(default_factory=dict)
    changed: list[Change] = field(default_factory=list)
    kept: list[Change] = field(default_factory=list)
    """What the roster says otherwise than people who corrected it; `after` is what stays unsaid."""
    missing: list[str] = field(default_factory=list)
    """What people call that which is here and no longer in the roster: they look at it, nothing is deleted."""


def difference(
    known: Mapping[str, Known], rows: Mapping[str, Row], values: Mapping[str, Mapping[str, Any]]
) -> Difference[Row]:
    """Return what `rows` would change; `values` gives each row's fields by its source identifier."""
    found: Difference[Row] = Difference()
    for pk, row in rows.items():
        here = known.get(pk)
        if here is None:
            found.added[pk] = row
            continue
        others = [
            FieldChange(name, here.values[name], value)
            for name, value in values[pk].items()
            if here.values[name] != value
        ]
        changed = tuple(one for one in others if one.name not in here.corrected)
        kept = tuple(one for one in others if one.name in here.corrected)
        if changed:
            found.changed.append(Change(pk, here.called, changed))
        if kept:
            found.kept.append(Change(pk, here.called, kept))
    found.missing = sorted(known[pk].called for pk in known.keys() - rows.keys())
    return found


def total(differences: Iterable[Difference[Any]], part: str) -> int:
    """Return how many rows of all tables are in this part of the difference."""
    return sum(len(getattr(one, part)) for one in differences)
