"""Custody entries about the lists, and what their rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Publication
from .rules import sha256

RECORD_TYPE = register("record-type", "a type of records and its location were entered", "holding", "sha256")
RECORD_TYPE_ENDED = register("record-type-ended", "a type of records was taken off the list", "holding")
POSITION = register("position", "somebody's position was entered", "sha256")
TRAINING = register("training", "somebody's training was entered", "held_on")
PUBLISHED = register("list-published", "a public list was published", "what", "rows_count", "sha256")
LIST_FILE = register("list-file", "a public list was taken out as a file", "what", "file_type", "sha256")


@compare_with_log
def lists_that_differ() -> Iterator[str]:
    """Yield published lists that are not what was published."""
    published = {entry.member("sha256") for entry in Entry.objects.filter(code=PUBLISHED.code).iterator()}
    for pk, content in Publication.objects.values_list("pk", "content").iterator():
        if sha256(content) not in published:
            yield f"the published list {pk} is not one that was published"
