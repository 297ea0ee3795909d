"""Appending to the custody log."""

from __future__ import annotations

import json

from django.db import transaction
from django.db.models.functions import Now

from appliance.contract import custody
from appliance.contract.custody import ENTRY_VERSION, EntryFields, Tree, entry_digest
from appliance.contract.errors import StorageError
from appliance.contract.times import now, parse_wall
from archive.core.database_clock import right

from .actors import NOTHING, Actor, Subject
from .custody_kinds import CLOCK
from .heads import require_own, sign
from .kinds import Kind
from .models import Entry, Head

Detail = str | int | bool | None


def record(kind: Kind, *, actor: Actor, subject: Subject = NOTHING, **detail: Detail) -> Entry:
    """Append an entry and return it; raise StorageError or KeyFileError if that cannot be done.

    It is as durable as the transaction around it: what must be told even if the deed fails is recorded outside.
    Call it before the deed is visible: no audio is served without its entry. A transaction around it is `one_deed()`.
    """
    unknown = detail.keys() - set(kind.detail)
    if unknown:
        raise TypeError(f"an entry of kind {kind.code!r} has no {sorted(unknown)}")
    with transaction.atomic():
        head = Head.objects.select_for_update().annotate(database_now=Now()).filter(pk=1).first()
        if head is None:
            raise StorageError("the custody log has no head; run 'plainsight-archive migrate'")
        require_own(bytes(head.line))
        entry = Entry(
            n=head.n,
            version=ENTRY_VERSION,
            at=right(now(), head.database_now),
            actor_type=actor.type.value,
            actor_id=actor.id,
            subject_type=subject.type.value,
            subject_id=subject.id,
            code=kind.code,
            detail=json.dumps(detail, ensure_ascii=True, sort_keys=True, separators=(",", ":")),
            prev=head.digest,
        )
        entry.digest = entry_digest(hashed(entry))
        entry.save(force_insert=True)
        tree = Tree(head.n, bytes(head.edge))
        tree.add(entry.digest)
        head.n, head.digest, head.edge = entry.n + 1, entry.digest, tree.edge
        head.line = sign(head.n, head.digest, tree.root())
        at = parse_wall(entry.at)
        # whoever confirms the clock says that later entries were made by a wrong one
        head.latest = at if kind is CLOCK else max(at, head.latest)
        head.save(update_fields=["n", "digest", "edge", "line", "latest"])
    return entry


def hashed(entry: Entry) -> EntryFields:
    """Return the fields of an entry that its digest covers, in their order (docs/format.md 9.1)."""
    return (
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
    )


def take_end() -> None:
    """Keep the end of the log until the transaction ends: what a deed begins with (archive.core.deeds)."""
    Head.objects.select_for_update().filter(pk=1).values_list("n").first()


def canonical(entry: Entry) -> bytes:
    """Return the bytes that an entry's digest covers."""
    return custody.canonical(hashed(entry))
