"""Custody entries about restricted passages, and what their rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Restriction

RESTRICTED = register("restricted", "a passage was restricted", "restriction", "first_frame", "last_frame")
LIFTED = register("restriction-lifted", "a restricted passage was opened again", "restriction")


@compare_with_log
def restrictions_that_differ() -> Iterator[str]:
    """Yield passages that were restricted and never lifted, and are open."""
    entered: set[str] = set()
    for entry in Entry.objects.filter(code__in=[RESTRICTED.code, LIFTED.code]).order_by("n").iterator():
        (entered.discard if entry.code == LIFTED.code else entered.add)(str(entry.member("restriction")))
    there = {str(pk) for pk in Restriction.objects.filter(lifted_at=None).values_list("pk", flat=True)}
    gone = set(Entry.objects.filter(code="destroyed").values_list("subject_id", flat=True))
    about = Entry.objects.filter(code=RESTRICTED.code).exclude(subject_id__in=gone)
    known = {str(entry.member("restriction")) for entry in about.iterator()}
    for pk in sorted((entered & known) - there):
        yield f"the passage {pk} was restricted and never opened again, and is open"
