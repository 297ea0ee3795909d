"""Custody entries about transcripts: identifiers and digests, never a word of them."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Transcript

BROUGHT = register(
    "transcript",
    "a transcript was added, as a draft",
    "transcript",
    "version",
    "source",
    "cues",
    "sha256",
    "file_sha256",
    "package_sha256",
    "model_sha256",
)
ANSWERED = register("transcript-answered", "somebody answered for a transcript", "transcript", "version", "sha256")
SET_ASIDE = register("transcript-set-aside", "a transcript was set aside", "transcript", "version")
ASKED = register("transcript-asked", "the computer was asked for a draft of a transcript")
READ = register("transcript-read", "read a transcript", "transcript", "version", "searched")
TAKEN = register("transcript-taken", "downloaded a transcript", "transcript", "version", "sha256")


@compare_with_log
def transcripts_that_differ() -> Iterator[str]:
    """Yield transcripts that are gone or changed, and those that were answered for without an entry."""
    gone = set(Entry.objects.filter(code="destroyed").values_list("subject_id", flat=True))
    about = Entry.objects.filter(code__in=[BROUGHT.code, ANSWERED.code]).exclude(subject_id__in=gone).order_by("n")
    entered: dict[str, str] = {}
    answered: set[str] = set()
    for entry in about.iterator():
        pk = str(entry.member("transcript"))
        if entry.code == BROUGHT.code:
            entered[pk] = str(entry.member("sha256"))
        else:
            answered.add(pk)
    there = {str(pk): (sha256, at) for pk, sha256, at in Transcript.objects.values_list("pk", "sha256", "answered_at")}
    for pk in sorted(entered.keys() | there.keys()):
        if pk not in there:
            yield f"the transcript {pk} was added, and is gone"
        elif pk not in entered:
            yield f"the transcript {pk} is here, and nobody added it"
        elif there[pk][0] != entered[pk]:
            yield f"the transcript {pk} is not the one that was added"
        elif (there[pk][1] is not None) != (pk in answered):
            yield f"the log and the transcript {pk} differ on whether somebody answered for it"
