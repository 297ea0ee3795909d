"""Custody entries about what boxes send, and what rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.recordings.models import Recording, State

INGEST = register("ingest", "began to arrive")
CLOSE = register("close", "the closing record arrived", "reason", "frames")


@compare_with_log
def arrivals_without_entry() -> Iterator[str]:
    """Yield the recordings that are on their way in, and that no box began to send."""
    began = set(Entry.objects.filter(code=INGEST.code).values_list("subject_id", flat=True))
    for recording in Recording.objects.exclude(state=State.SEALED).order_by("pk").values_list("pk", flat=True):
        if recording not in began:
            yield f"there is a recording {recording} that no box began to send"
