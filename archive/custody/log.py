"""Appending to the custody log."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from django.db import transaction

from appliance.contract.errors import StorageError
from appliance.contract.times import now

from .actors import NOTHING, Actor, Subject
from .heads import sign
from .kinds import Kind
from .models import Entry, Head

VERSION: Final = 1
"""Version of `canonical`; it is the first thing that is hashed."""
Detail = str | int | bool | None


def record(kind: Kind, *, actor: Actor, subject: Subject = NOTHING, **detail: Detail) -> Entry:
    """Append an entry and return it; raise StorageError or KeyFileError if that cannot be done.

    It is as durable as the transaction around it: what must be told even if the deed fails is recorded outside.
    Call it before the deed is visible: no audio is served without its entry.
    """
    unknown = detail.keys() - set(kind.detail)
    if unknown:
        raise TypeError(f"an entry of kind {kind.code!r} has no {sorted(unknown)}")
    with transaction.atomic():
        head = Head.objects.select_for_update().filter(pk=1).first()
        if head is None:
            raise StorageError("the custody log has no head; run 'plainsight-archive migrate'")
        entry = Entry(
            n=head.n,
            version=VERSION,
            at=now(),
            actor_type=actor.type.value,
            actor_id=actor.id,
            subject_type=subject.type.value,
            subject_id=subject.id,
            code=kind.code,
            detail=json.dumps(detail, ensure_ascii=True, sort_keys=True, separators=(",", ":")),
            prev=head.digest,
        )
        entry.digest = hashlib.sha256(canonical(entry)).hexdigest()
        entry.save(force_insert=True)
        head.n, head.digest = entry.n + 1, entry.digest
        head.line = sign(head.n, head.digest)
        head.save(update_fields=["n", "digest", "line"])
    return entry


def canonical(entry: Entry) -> bytes:
    """Return the bytes that an entry's digest covers: a JSON list of its fields in this order (docs/format.md 9.1)."""
    fields = [
        entry.version,
        entry.n,
        entry.at,
        entry.actor_type,
        entry.actor_id,
        entry.subject_type,
        entry.subject_id,
        entry.code,
        entry.detail,
        entry.prev,
    ]
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii")
