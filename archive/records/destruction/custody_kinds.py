"""Custody entries about destruction, and what its rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.recordings.models import Recording
from archive.records.outside_recordings.models import OutsideRecording

PROPOSED = register("destruction-proposed", "its destruction was proposed", "destruction", "basis")
TOLD = register("destruction-told", "a letter tells a rights-holder of its destruction", "destruction", "letter")
REPLY = register(
    "destruction-reply", "a rights-holder's answer about its destruction was entered", "destruction", "told", "reply"
)
APPROVED = register("destruction-approved", "a second person approved its destruction", "destruction")
OVERTAKEN = register(
    "destruction-overtaken", "the approval of its destruction ended, since an answer came after it", "destruction"
)
WITHDRAWN = register("destruction-withdrawn", "its destruction was withdrawn", "destruction")
DESTROYED = register("destroyed", "destroyed for good", "destruction", "package_sha256", "basis")
FINISHED = register(
    "destruction-finished", "key, package and identifiers are gone", "destruction", "generations", "removed"
)
FORGOTTEN = register("destruction-forgotten", "no copy of the key store opens it any more", "destruction")


@compare_with_log
def destructions_that_differ() -> Iterator[str]:
    """Yield recordings that are called destroyed and were not, and the other way round."""
    entered = set(Entry.objects.filter(code=DESTROYED.code).values_list("subject_id", flat=True))
    there = set(Recording.objects.exclude(destroyed_at=None).values_list("pk", flat=True))
    there |= set(OutsideRecording.objects.exclude(destroyed_at=None).values_list("pk", flat=True))
    for recording in sorted(there - entered):
        yield f"recording {recording} is called destroyed, and no entry says that it was"
    for recording in sorted(entered - there):
        yield f"recording {recording} was destroyed, and its row no longer says so: an older database is in place"
