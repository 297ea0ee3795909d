"""What each list is for, who stands on it, and how it is written. Pure; sections cited."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archive.access.deeds import Deed
from archive.records.text import cell


class ListKind(StrEnum):
    """A list."""

    RECORDS = "records"
    """34 CFR 300.616: types and locations of education records; parents get it on request."""
    PEOPLE = "people"
    """34 CFR 300.623(d): names and positions of employees who may have access; for public inspection."""
    TRAINING = "training"
    """34 CFR 300.623(c): everybody who uses such records was trained; the district's own register."""
    NOTICE = "annual-notice"
    """34 CFR 99.7: the yearly notice to parents, in each language that they are told in."""


@dataclass(frozen=True)
class Purpose:
    """What a list is called, and why it is kept."""

    heading: str
    citation: str
    told: str
    """For whom it is, as a sentence."""


PURPOSES: Final[dict[ListKind, Purpose]] = {
    ListKind.RECORDS: Purpose(
        "Types and locations of education records",
        "34 CFR 300.616",
        "Parents get it on request.",
    ),
    ListKind.PEOPLE: Purpose(
        "Names and positions of employees with access",
        "34 CFR 300.623(d)",
        "It is kept current, and anybody may inspect it.",
    ),
    ListKind.TRAINING: Purpose(
        "Training in confidentiality",
        "34 CFR 300.623(c)",
        "It is the district's own register, and is shown to whoever audits it.",
    ),
    ListKind.NOTICE: Purpose(
        "Annual notice to parents",
        "34 CFR 99.7",
        "It is given to all parents each year, in a way that is likely to reach them.",
    ),
}

WITHOUT_NAMES: Final = frozenset(
    {
        *(Deed.BOARD, Deed.BOXES, Deed.CHECKS, Deed.LIST, Deed.VERIFY, Deed.ACCOUNTS, Deed.TEMPLATES),
        *(Deed.LISTS, Deed.PUBLISH),
    }
)
"""Deeds that show nothing about a student. Parents' own deed is another matter: they are no employees."""
IDENTIFYING: Final = frozenset(Deed) - WITHOUT_NAMES - {Deed.OWN}
"""Deeds by which an employee may have access to personally identifiable information (34 CFR 300.623(d))."""


@dataclass(frozen=True)
class Table:
    """A list as it stands now."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    gaps: tuple[str, ...] = ()
    """What is missing before the district can answer for it, a sentence each."""

    def canonical(self) -> str:
        """Return what it says, in the one form whose digest the custody log holds."""
        return json.dumps([self.columns, self.rows], ensure_ascii=False, separators=(",", ":"))


def sha256(canonical: str) -> str:
    """Return the digest of a list."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_table(canonical: str) -> Table:
    """Return the list that was published."""
    columns, rows = json.loads(canonical)
    return Table(tuple(columns), tuple(tuple(row) for row in rows))


def as_csv(table: Table) -> str:
    """Return a list as CSV for spreadsheets; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in (table.columns, *table.rows):
        writer.writerow([cell(one) for one in row])
    return text.getvalue()


def newest(*told: Mapping[str, tuple[object, str]]) -> dict[str, str]:
    """Return by key the words with the latest moment, over several sources; empty words do not count."""
    found: dict[str, tuple[object, str]] = {}
    for source in told:
        for key, (at, words) in source.items():
            if words and (key not in found or str(at) > str(found[key][0])):
                found[key] = (at, words)
    return {key: words for key, (_at, words) in found.items()}
