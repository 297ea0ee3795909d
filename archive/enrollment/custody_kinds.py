"""Custody entries about claims and certificates. A claim itself never stands there: only its number in the database."""

from __future__ import annotations

from collections.abc import Iterator

from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.devices.models import Box

CLAIM = register("claim", "a claim for a new box was given out", "claim", "room")
CLAIM_FOR_BOX = register("claim-for-box", "a claim for a box's card in a new board was given out", "claim", "room")
WITHDRAW_CLAIM = register("withdraw-claim", "a claim was withdrawn", "claim")
USE_CLAIM = register("use-claim", "a claim was used by a new box", "claim", "board")
REFUSE_CLAIM = register("refuse-claim", "a claim was refused", "claim", "why")
CERTIFY = register("certify", "a box got a certificate for the broker", "serial")
CLONE = register("clone", "a second board used a box's identity and was refused", "board")
REPLACE = register("replace", "a box's card went on in a new board, as another box", "successor", "board")


@compare_with_log
def successors_without_entry() -> Iterator[str]:
    """Yield the boxes in whose place another one hands in recordings although no entry says so."""
    entered = {entry.subject_id: entry.member("successor") for entry in Entry.objects.filter(code=REPLACE.code)}
    for box in Box.objects.exclude(successor=None).order_by("pk"):
        last = box.pk
        while last in entered:
            last = str(entered[last])
        if last != box.successor_id:
            yield f"{box.successor_id} hands in the recordings of {box}, which no claim allowed"
