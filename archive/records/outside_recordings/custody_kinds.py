"""Custody entries about recordings that no box made. Looking, listening and filing have the kinds of all recordings."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import OutsideRecording

BEGUN = register("outside-begun", "a recording that no box made was announced")
ARRIVED = register("outside-arrived", "the whole file arrived, as somebody brought it", "bytes")
SEALED = register("outside-sealed", "was sealed as it was brought; no box made it", "sha256", "package_sha256")
TAKEN_OVER = register(
    "outside-transferred-in",
    "was taken in from another archive, as it was brought there; no box made it",
    *("sha256", "package_sha256", "evidence_sha256", "archive_key", "entries"),
)
CHECKED = register("outside-checked", "was held against its seal", "problem")
GIVEN_UP = register("outside-given-up", "was given up before it was sealed; nothing of it is kept")
DOWNLOADED = register("download-outside", "downloaded the file as it was brought", "first_byte", "bytes", "documents")
RESTRICTED = register("outside-restricted", "was restricted", "restriction")
LIFTED = register("outside-restriction-lifted", "a restriction was lifted", "restriction")


@compare_with_log
def outside_that_differ() -> Iterator[str]:
    """Yield recordings that no box made and that are not as they were sealed, by their rows."""
    columns = ("sha256", "package_sha256")
    rows = {pk: pair for pk, *pair in OutsideRecording.objects.values_list("pk", *columns).iterator()}
    for entry in Entry.objects.filter(code__in=[SEALED.code, TAKEN_OVER.code]).order_by("n").iterator():
        if rows.get(entry.subject_id) != [entry.member(name) for name in columns]:
            yield f"the recording {entry.subject_id}, which no box made, is not the one that was sealed"
