"""A recording's ledger as entries, as far as it can be read and holds."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.contract.errors import FormatError, StorageError
from appliance.contract.ledger import Entry
from appliance.contract.signed import digest

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
    """Return the ledger, checked to be the box's; a page must show what is there even if the rest is damaged.

    Each line names the digest of the one before it, so the last line's signature stands for all of them. Only where
    that does not hold is each line's own signature checked, to name the place: 14,400 signatures take two seconds.
    """
    try:
        lines = ledger_lines(recording)
    except (FormatError, StorageError) as error:
        return Ledger([], f"it cannot be read: {error.message}")
    try:
        entries = _by_chain(recording, lines)
    except FormatError:
        return _line_by_line(recording, lines)
    if len(lines) < recording.next_line:
        now = Recording.objects.filter(pk=recording.pk).exclude(state=recording.state).first()
        if now is not None:
            # sealed meanwhile: what had arrived lies in the package
            return read_ledger(now)
        return Ledger(entries, f"its ledger ends after {len(lines)} of {recording.next_line} lines that arrived")
    return Ledger(entries, "")


def _by_chain(recording: Recording, lines: list[bytes]) -> list[Entry]:
    entries: list[Entry] = []
    before = bytes(recording.header)
    for line in lines:
        entries.append(_following(before, line, None))
        before = line
    if lines:
        Entry.read(lines[-1], recording.signed_header.box_key)
    return entries


def _line_by_line(recording: Recording, lines: list[bytes]) -> Ledger:
    entries: list[Entry] = []
    before = bytes(recording.header)
    try:
        for line in lines:
            entries.append(_following(before, line, recording.signed_header.box_key))
            before = line
    except FormatError as error:
        return Ledger(entries, f"its ledger can be read only up to line {len(entries)}: {error.message}")
    return Ledger(entries, "")


def _following(before: bytes, line: bytes, key: str | None) -> Entry:
    entry = Entry.read(line, key)
    if entry.prev != digest(before):
        raise FormatError("it does not follow on the line before it", field="prev")
    return entry
