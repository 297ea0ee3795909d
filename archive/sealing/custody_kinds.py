"""Custody entries about sealing, and what rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.recordings.models import Recording, State

SEAL = register("seal", "sealed, receipt signed", "outcome", "package_sha256")
REBUILD = register("rebuild", "the archive's row was made again from the package", "outcome", "package_sha256")

TAKE_IN = register(
    "transferred-in",
    "taken in from another archive",
    *("outcome", "package_sha256", "evidence_sha256", "archive_key", "entries"),
)


@compare_with_log
def seals_that_differ() -> Iterator[str]:
    """Yield the recordings whose seal is not what its last entry says, and seals whose row is gone."""
    entered = {
        entry.subject_id: (entry.member("outcome"), entry.member("package_sha256"))
        for entry in Entry.objects.filter(code__in=[SEAL.code, REBUILD.code, TAKE_IN.code]).order_by("n").iterator()
    }
    sealed = Recording.objects.filter(state=State.SEALED).order_by("pk")
    for recording, *told in sealed.values_list("pk", "outcome", "package_sha256").iterator():
        if entered.pop(recording, None) != tuple(told):
            yield f"the seal of recording {recording} is not the one that was entered"
    for recording in sorted(entered):
        yield f"recording {recording} was sealed, and its row no longer says so"
