"""Custody entries about redacted copies, and what their rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.store.current import store

from .models import Redaction, State

BEGUN = register("redaction", "a redacted copy was begun", "redaction")
PASSAGE = register(
    *("redaction-passage", "a passage was entered that a redacted copy leaves out", "redaction", "passage"),
    *("first_frame", "last_frame", "basis"),
)
PASSAGE_REMOVED = register(
    "redaction-passage-removed", "a passage was taken out of the list of a redacted copy", "redaction", "passage"
)
ASKED = register("redaction-asked", "the archive was told to make a redacted copy", "redaction")
MADE = register(
    *("redaction-made", "a redacted copy was made and compared with the original", "redaction", "sha256"),
    *("outside", "inside"),
)
FAILED = register("redaction-failed", "a redacted copy could not be made", "redaction", "problem")
SIGNED = register(
    *("redaction-signed-off", "a redacted copy was listened to and signed off", "redaction", "sha256"),
    *("heard_s", "took_s"),
)
REOPENED = register("redaction-reopened", "a redacted copy went back to its passages", "redaction")
WITHDRAWN = register("redaction-withdrawn", "a redacted copy was withdrawn", "redaction")
LIFTED = register(
    "redaction-lifted", "parents were let hear again what a withdrawn redacted copy had left out", "redaction"
)
DROPPED = register(
    *("redaction-dropped", "what was made of a withdrawn redacted copy was removed after the last hold", "redaction"),
    "sha256",
)
LOG = register("redaction-log", "the exemption log of a redacted copy was opened", "redaction", "page")


@compare_with_log
def redactions_that_differ() -> Iterator[str]:
    """Yield redacted copies that are not what the log says was made, signed off by nobody, or gone from the store."""
    made: dict[str, str] = {}
    signed: set[tuple[str, str, str]] = set()
    for entry in Entry.objects.filter(code__in=[MADE.code, SIGNED.code]).order_by("n").iterator():
        redaction, sha256 = str(entry.member("redaction")), str(entry.member("sha256"))
        if entry.code == MADE.code:
            made[redaction] = sha256
        else:
            signed.add((redaction, sha256, entry.actor_id))
    for row in Redaction.objects.filter(state__in=[State.MADE, State.SIGNED], recording__destroyed_at=None):
        if made.get(row.pk.hex) != row.sha256:
            yield f"the redacted copy {row.pk} is not the one that was made"
        if row.state == State.SIGNED and (row.pk.hex, row.sha256, str(row.signed_by_id)) not in signed:
            yield f"the redacted copy {row.pk} counts as signed off, and nobody did so"
        if not store().exists(row.object):
            yield f"the redacted copy {row.pk} is gone from the store; withdraw it, and make it again"
