"""Taking in segments that a closing record lists as unverified tail."""

from __future__ import annotations

from collections.abc import Container

from django.db import transaction

from appliance.contract.errors import DigestError, OrderError
from appliance.contract.ledger import Closing, Entry
from appliance.contract.signed import digest
from appliance.contract.times import now, parse_wall
from archive.recordings import arrival_log
from archive.recordings.find import check_box_is_believed, find
from archive.recordings.models import Recording, State, TailSegment
from archive.recordings.stored_ledger import ledger_lines
from archive.recordings.validation import judge_tail

from .incoming import incoming


def tail_segment(recording: Recording, number: int) -> TailSegment:
    """Return what the closing record says about tail segment `number`; raise OrderError if it says nothing."""
    if recording.state == State.SEALED:
        return _sealed_tail_segment(recording, number)
    segment = recording.tail.filter(number=number).first()
    if segment is None:
        raise OrderError(f"no closing record here lists segment {number} as unverified tail")
    return segment


def _sealed_tail_segment(recording: Recording, number: int) -> TailSegment:
    # the rows are gone; the ledger in the package still lists it
    last = Entry.read(ledger_lines(recording)[-1], recording.signed_header.box_key).fact
    for part in last.unverified_tail if isinstance(last, Closing) else []:
        if part.segment == number:
            arrived = recording.sealed_at
            return TailSegment(number=number, size=part.size, sha256=part.sha256, arrived_at=arrived)
    raise OrderError(f"no closing record here lists segment {number} as unverified tail")


def accept_tail(row: Recording, believed: Container[str], number: int, encrypted: bytes) -> bool:
    """Take a tail segment in; return False if it was there already."""
    segment = tail_segment(row, number)
    if len(encrypted) != segment.size or digest(encrypted) != segment.sha256:
        raise DigestError(f"tail segment {number} does not have the signed size and digest", field="sha256")
    if segment.arrived_at is not None:
        return False
    check_box_is_believed(row, believed)
    verdict, frames = judge_tail(row.signed_header, encrypted)
    with incoming(row.pk, f"tail-{number:08d}", [encrypted]) as kept, transaction.atomic():
        kept.keep(row.pk)
        row = find(row.pk, lock=True)
        segment = tail_segment(row, number)
        if segment.arrived_at is not None:
            return False
        arrived = now()
        segment.arrived_at, segment.verdict, segment.frames = parse_wall(arrived), verdict, frames
        segment.stored = kept.name
        segment.save(update_fields=["arrived_at", "verdict", "frames", "stored"])
        arrival_log.sign(row, "tail", segment.sha256, at=arrived).save(force_insert=True)
        row.save(update_fields=arrival_log.COLUMNS)
        kept.confirm()
    return True
