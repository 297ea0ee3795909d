"""Names of a recording's files: in the spool, in the archive and, below `data/`, in a package (docs/format.md)."""

from __future__ import annotations

HEADER = "header.tsv"
LEDGER = "ledger.tsv"
KEY = "key.age"
RECEIPT = "receipt.tsv"
SEGMENTS = "segments"
TAIL = "tail"
STATUS = "status.json"
"""The recorder's status file, in its run folder."""
PROGRESS = "progress.json"
"""The courier's own account, in its folder."""


def segment_file(number: int) -> str:
    """Return the name of a segment's file."""
    return f"{number:08d}.age"


def segment_path(number: int, *, tail: bool = False) -> str:
    """Return a segment's place; `tail` is that of an unverified one outside the spool."""
    return f"{TAIL if tail else SEGMENTS}/{segment_file(number)}"
