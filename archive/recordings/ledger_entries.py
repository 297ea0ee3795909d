"""A recording's ledger as entries, as far as it can be read."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.contract.errors import FormatError, StorageError
from appliance.contract.ledger import Entry

from .models import Recording
from .stored_ledger import ledger_lines


@dataclass(frozen=True)
class Ledger:
    """What can be shown of a ledger."""

    entries: list[Entry]
    """The lines that were read, in order."""
    problem: str
    """Why there are no more, in words; empty if all could be read."""


def read_ledger(recording: Recording) -> Ledger:
    """Return the ledger, each line's signature checked; a page must show what is there even if the rest is damaged."""
    try:
        lines = ledger_lines(recording)
    except (FormatError, StorageError) as error:
        return Ledger([], f"it cannot be read: {error.message}")
    entries: list[Entry] = []
    try:
        key = recording.signed_header.box_key
        for line in lines:
            entries.append(Entry.read(line, key))  # noqa: PERF401 - lines before a bad one are still shown
    except FormatError as error:
        return Ledger(entries, f"its ledger can be read only up to line {len(entries)}: {error.message}")
    return Ledger(entries, "")
