"""Custody entries about retention, and what its rows must say if the entries are true."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry

from .models import Answer

SERIES = register("series", "a record series was entered", "kinds")
ANSWER = register(
    "retention-answer",
    "it was entered how long a series is kept",
    "answer_id",
    "permanent",
    "years",
    "counts_from",
    "on_request",
    "decided_on",
)
_TOLD = ("permanent", "years", "counts_from", "on_request")


@compare_with_log
def answers_that_differ() -> Iterator[str]:
    """Yield decisions that are not what was entered, and those that are gone."""
    entered = {
        entry.member("answer_id"): tuple(entry.member(one) for one in _TOLD)
        for entry in Entry.objects.filter(code=ANSWER.code).iterator()
    }
    for pk, *told in Answer.objects.values_list("pk", *_TOLD):
        if entered.pop(str(pk), None) != tuple(told):
            yield f"the decision {pk} about retention is not the one that was entered"
    for pk in sorted(entered):
        yield f"the decision {pk} about retention was entered, and is gone"
