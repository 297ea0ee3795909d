"""Sealing one recording. Every step can be repeated after a crash and then makes the same bytes.

1. It is decided that and when it is sealed, and the arrival log's last line is signed (committed).
2. All of it is checked again from the stored bytes and written as a package under a temporary name.
3. The package is read back and verified, as a stranger would, and gets its name, for good. One that has its name
   already is verified as well, and the store makes sure of it: whoever was broken off may not have come to that.
4. Receipt and places are committed. 5. What had arrived is removed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from appliance.contract.errors import OrderError
from appliance.contract.package import write_package
from appliance.contract.receipt import Outcome, Receipt, SealedFacts
from appliance.contract.signed import digest
from appliance.contract.times import now, parse_wall
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.keystore.current import keystore
from archive.recordings import arrival_log
from archive.recordings.custody_kinds import PROBLEM
from archive.recordings.find import find
from archive.recordings.models import Recording, State, TailSegment
from archive.recordings.stored_ledger import lines_from
from archive.recordings.verification import require_sound
from archive.store.base import open_object, package_name
from archive.store.current import store

from .custody_kinds import SEAL
from .material import Material, gather
from .rebuild import rebuild, take_over


def ready() -> QuerySet[Recording]:
    """Return the recordings that can be sealed: closed, with all of their tail."""
    missing = TailSegment.objects.filter(recording=OuterRef("pk"), arrived_at=None)
    return Recording.objects.filter(~Exists(missing), state=State.CLOSED).order_by("closed_at")


def seal(recording: str, *, incomplete: bool = False, actor: Actor = ARCHIVE) -> Recording:
    """Seal a recording and return it; sealed ones are left alone.

    `incomplete` ends the wait for a box that is lost: for more of an open recording, for the tail of a closed one.
    """
    name = package_name(recording)
    if store().exists(name):
        # a crash came between the package and its receipt, or the database is older than the store
        return _seal_again(recording, name, actor)
    row = _decide(recording, incomplete=incomplete)
    if row.state == State.SEALED:
        return row
    _write(name, row, gather(row))
    return take_over(recording, SEAL, actor)


def _seal_again(recording: str, name: str, actor: Actor) -> Recording:
    """Seal by the package that is there; what the store did not prove when it was kept, it proves now."""
    row = Recording.objects.filter(pk=recording).first()
    if row is not None and row.state == State.SEALED:
        # its receipt stands already, and a lock that has ended may have to
        return rebuild(recording, SEAL, actor)
    with open_object(store(), name) as file:
        require_sound(file, recording)
    store().make_sure(name)
    return take_over(recording, SEAL, actor)


def _write(name: str, row: Recording, material: Material) -> None:
    draft = store().draft(name)
    try:
        write_package(
            draft,
            row.id,
            material.members,
            lambda manifest: _receipt(row, material, manifest),
            outcome=cast("Outcome", row.outcome),
            sealed_at=row.sealing_text,
        )
        with draft.reader() as file:
            require_sound(file, row.id)
        draft.publish()
    finally:
        draft.discard()


def _decide(recording: str, *, incomplete: bool) -> Recording:
    with transaction.atomic():
        row = find(recording, lock=True)
        if row.state == State.SEALED:
            return row
        missing = row.tail.filter(arrived_at=None)
        if not incomplete and missing.exists():
            raise OrderError(
                f"the box has not sent its unverified tail yet: {missing.count()} segments; if it is lost, seal "
                f"{recording} with --incomplete"
            )
        # nothing more is taken, or it would arrive after the line that seals the arrival log
        missing.delete()
        if row.state == State.RECEIVING and not incomplete:
            raise OrderError(f"{recording} is not closed; if its box is lost, seal it with --incomplete")
        moment = now()
        if row.state == State.RECEIVING:
            row.state, row.outcome, row.closed_at = State.CLOSED, "incomplete", parse_wall(moment)
            row.checker = ""
        if not row.sealing_at:
            row.sealing_at = parse_wall(moment)
            seal_line = arrival_log.sign(row, "seal", digest(b"".join(lines_from(row, 0))), at=moment)
            seal_line.save(force_insert=True)
        row.save()
    return row


def _receipt(row: Recording, material: Material, manifest_sha256: str) -> bytes:
    facts = SealedFacts(
        recording=row.id,
        box=row.box_id,
        header_sha256=digest(material.header_line),
        ledger_lines=material.ledger_lines,
        ledger_sha256=digest(material.ledger),
        segments=len(material.segments),
        frames=row.frames,
        tail=len(material.tail),
        outcome=cast("Outcome", row.outcome),
        key_sha256=material.header.key_sha256,
    )
    return keystore().sign(
        Receipt(
            **asdict(facts), archive_key=keystore().public, manifest_sha256=manifest_sha256, sealed_at=row.sealing_text
        )
    )


def note_problem(recording: str, message: str) -> bool:
    """Write down, once, why a recording cannot be sealed; return False if it is sealed after all.

    Whoever fails because another worker sealed the recording meanwhile has found no problem.
    """
    with one_deed():
        row = Recording.objects.select_for_update().filter(pk=recording).first()
        if row is None or row.state == State.SEALED:
            return False
        if row.problem != message:
            row.problem = message
            row.save(update_fields=["problem"])
            subject = Subject.recording(recording)
            record(PROBLEM, actor=ARCHIVE, subject=subject, what="sealing", message=message)
    return True
