"""What tests ask the boxes' interface, and what it has kept."""

from __future__ import annotations

from typing import Any

from archive.recordings.models import Recording, StoredArrival, TailSegment
from archive.recordings.stored_ledger import ledger_lines
from archive.store.current import store
from tests.support.spools import Recording as Made


def contents() -> tuple[int, int, int, list[str]]:
    arrived = sum(Recording.objects.values_list("next_line", flat=True))
    stored = sorted(store().names("incoming"))
    return arrived, StoredArrival.objects.count(), TailSegment.objects.count(), stored


def refused(answer: Any, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.content
    message: str = answer.json()["error"]["message"]
    assert message
    return message


def contents_of(made: Made) -> list[bytes]:
    return ledger_lines(Recording.objects.get(pk=made.id))
