"""Appending to the custody log, and checking its chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from appliance.contract.errors import StorageError
from appliance.contract.times import now

from .kinds import Kind
from .models import Entry, Head

NOTHING = "0" * 64
"""Stands before the first entry."""
ARCHIVE = "archive"
"""The actor of the archive's own processes."""
Detail = str | int | bool | None


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold."""

    n: int
    problem: str


def record(kind: Kind, *, actor: str, recording: str = "", **detail: Detail) -> Entry:
    """Append an entry and return it.

    It is as durable as the transaction around it: what must be told even if the deed fails is recorded outside.
    Call it before the deed is visible: no audio is served without its entry.
    """
    with transaction.atomic():
        head = Head.objects.select_for_update().filter(pk=1).first()
        if head is None:
            raise StorageError("the custody log has no head; run 'plainsight-archive migrate'")
        entry = Entry(
            n=head.n,
            at=now(),
            kind=str(kind),
            actor=actor,
            recording=recording,
            detail=json.dumps(detail, ensure_ascii=True, sort_keys=True, separators=(",", ":")),
            prev=head.digest,
        )
        entry.digest = hashlib.sha256(canonical(entry)).hexdigest()
        entry.save(force_insert=True)
        head.n, head.digest = entry.n + 1, entry.digest
        head.save(update_fields=["n", "digest"])
    return entry


def canonical(entry: Entry) -> bytes:
    """Return the bytes that an entry's digest covers: a JSON list of its fields in this order."""
    fields = [entry.n, entry.at, entry.kind, entry.actor, entry.recording, entry.detail, entry.prev]
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def check() -> Break | None:
    """Return the first place where the log does not hold together, or None."""
    head = Head.objects.filter(pk=1).first()
    if head is None:
        return Break(0, "the head of the log is missing")
    return check_chain(Entry.objects.order_by("n").iterator(chunk_size=1000), head.n, head.digest)


def check_chain(entries: Iterable[Entry], count: int, last: str) -> Break | None:
    """Return the first break in `entries`, which must be `count` many and end in the digest `last`."""
    prev, n = NOTHING, 0
    for entry in entries:
        if entry.n != n:
            return Break(n, f"entry {n} is missing")
        if entry.prev != prev:
            return Break(n, "it does not follow on the entry before it")
        if hashlib.sha256(canonical(entry)).hexdigest() != entry.digest:
            return Break(n, "it was changed after it was written")
        prev, n = entry.digest, n + 1
    if n != count or prev != last:
        return Break(n, f"the log ends after {n} entries, but {count} were written")
    return None
