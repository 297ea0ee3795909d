"""Taking in ledger lines with their segments: a batch is taken whole or not at all.

What is expensive (signatures, digests, opening segments, fsync) happens before the database is locked. What depends on
the order happens under the lock. Segments get their names just before the commit; if that fails, they are overwritten
by the next attempt, because nothing but the database says what has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from appliance.contract import ledger
from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import ConflictError, OrderError, TooLargeError
from appliance.contract.header import Header
from appliance.contract.signed import digest
from appliance.contract.status import UploadState
from appliance.contract.times import now, parse_wall
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.recordings import arrival_log
from archive.recordings.custody_kinds import PROBLEM
from archive.recordings.find import check_box_is_believed, find, upload_state
from archive.recordings.models import IncomingSegment, LedgerBatch, Recording, State
from archive.recordings.stored_ledger import ledger_lines
from archive.recordings.validation import OK, judge_segment
from archive.store.base import incoming_name
from archive.store.current import store

from . import limits
from .batch import Item, parse
from .custody_kinds import CLOSE


def accept_lines(recording: str, body: bytes) -> UploadState:
    """Take ledger lines and their segments in, and return the state afterwards."""
    row = find(recording)
    header = row.signed_header
    items = parse(body, header)
    if not row.key_arrived:
        raise OrderError("the recording's key.age must arrive before its ledger")
    fresh = [item for item in items if item.entry.n >= row.next_line]
    if not fresh:
        _same_as_stored(row, items)
        return upload_state(row)
    check_box_is_believed(row)
    verdicts = _judge(header, fresh)
    staged = store().stage(
        (incoming_name(recording, item.entry.fact.segment, tail=False), item.encrypted)
        for item in fresh
        if isinstance(item.entry.fact, ledger.Segment) and item.encrypted is not None
    )
    try:
        with transaction.atomic():
            row = find(recording, lock=True)
            _same_as_stored(row, items)
            taken = [item for item in items if item.entry.n >= row.next_line]
            if not taken:
                return upload_state(row)
            if row.state != State.RECEIVING:
                raise OrderError(f"the recording is {row.state}; no line can follow")
            checker = LedgerChecker.resume(header, bytes(row.header), row.checker)
            for item in taken:
                checker.check_entry(item.entry, item.line)
            row.checker = "" if checker.closing else checker.snapshot()
            _keep(row, taken, verdicts)
            staged.publish()
    finally:
        staged.discard()
    return upload_state(row)


def _judge(header: Header, items: list[Item]) -> dict[int, str]:
    return {
        item.entry.fact.segment: judge_segment(header, item.encrypted, item.entry.fact.frames)
        for item in items
        if isinstance(item.entry.fact, ledger.Segment) and item.encrypted is not None
    }


def _same_as_stored(row: Recording, items: list[Item]) -> None:
    """Raise ConflictError if one of `items` differs from the line that is stored in its place."""
    known = [item for item in items if item.entry.n < row.next_line]
    if not known:
        return
    first = min(item.entry.n for item in known)
    stored = ledger_lines(row, first)
    for item in known:
        if stored[item.entry.n - first] != item.line:
            raise ConflictError(f"the archive has another line {item.entry.n} of this recording", field="n")


def _keep(row: Recording, items: list[Item], verdicts: dict[int, str]) -> None:
    arrived = now()
    moment = parse_wall(arrived)
    data = b"".join(item.line for item in items)
    LedgerBatch.objects.create(recording=row, first_line=row.next_line, lines=len(items), data=data)
    arrival_log.append(row, "lines", digest(data), at=arrived, first_line=row.next_line, lines=len(items))
    rows = []
    for item in items:
        fact = item.entry.fact
        if isinstance(fact, ledger.Segment):
            verdict = verdicts[fact.segment]
            rows.append(
                IncomingSegment(
                    recording=row,
                    number=fact.segment,
                    first_frame=fact.first_frame,
                    frames=fact.frames,
                    size=fact.size,
                    sha256=fact.sha256,
                    arrived_at=moment,
                    verdict=verdict,
                )
            )
            row.frames = fact.first_frame + fact.frames
            if verdict not in {OK, ""}:
                subject = Subject.recording(row.pk)
                record(PROBLEM, actor=ARCHIVE, subject=subject, segment=fact.segment, code=verdict)
        elif isinstance(fact, ledger.Gap):
            row.lost_frames += fact.frames
        elif isinstance(fact, ledger.Closing):
            rows += _close(row, Closed(fact, arrived))
    if rows and rows[-1].number >= limits.SEGMENTS:
        raise TooLargeError(f"a recording has at most {limits.SEGMENTS} segments")
    IncomingSegment.objects.bulk_create(rows)
    row.next_line += len(items)
    row.last_arrival_at = moment
    row.save()


@dataclass(frozen=True)
class Closed:
    """A closing record and when it arrived."""

    entry: ledger.Closing
    arrived: str


def _close(row: Recording, closed: Closed) -> list[IncomingSegment]:
    entry = closed.entry
    row.state = State.CLOSED
    row.closed_at = parse_wall(closed.arrived)
    row.end_reason = entry.reason
    row.outcome = "interrupted" if entry.reason == "interrupted" else "complete"
    subject = Subject.recording(row.pk)
    record(CLOSE, actor=Actor.box(row.box_id), subject=subject, reason=entry.reason, frames=entry.frames)
    return [
        IncomingSegment(recording=row, tail=True, number=tail.segment, size=tail.size, sha256=tail.sha256)
        for tail in entry.unverified_tail
    ]
