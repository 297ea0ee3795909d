"""Taking in ledger lines with their segments: a batch is taken whole or not at all.

1. All of it is checked and judged against the row as it was loaded; no lock is held. 2. Its segments become durable, as
one new object with a name of its own. 3. One transaction changes the row, only if it still is as it was loaded, and
enters the batch with the object's name. A crash before the commit leaves an object that nothing names, which is swept;
after it, a request that the box repeats finds its lines there already.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from django.db import transaction

from appliance.contract import ledger
from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import ConflictError, OrderError
from appliance.contract.package_room import check_room
from appliance.contract.signed import digest
from appliance.contract.status import UploadState
from appliance.contract.times import now, parse_wall
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, Actor, Subject
from archive.custody.log import record
from archive.custody.models import Entry
from archive.recordings import arrival_log
from archive.recordings.custody_kinds import PROBLEM
from archive.recordings.find import check_box_is_believed, find, upload_state
from archive.recordings.models import Recording, State, StoredArrival, TailSegment
from archive.recordings.stored_ledger import ledger_lines
from archive.recordings.validation import OK, UNJUDGED, judge_segments

from .batch import Item, parse
from .custody_kinds import CLOSE
from .incoming import Incoming, incoming
from .quotas import check_more, check_tail

_CHANGED: Final = (
    "next_line",
    "checker",
    "frames",
    "lost_frames",
    "taken_bytes",
    "last_arrival_at",
    "state",
    "end_reason",
    "closed_at",
    "outcome",
    *arrival_log.COLUMNS,
)
"""Columns of the recording's row that a batch changes."""


def accept_lines(row: Recording, believed: Container[str], body: bytes) -> UploadState:
    """Take ledger lines and their segments in, and return the state afterwards; `believed` keys may sign new ones."""
    items = parse(body, row.signed_header)
    while not _take(row, believed, items):
        row = find(row.pk)
    return upload_state(row)


def _take(row: Recording, believed: Container[str], items: list[Item]) -> bool:
    """Take what is new of `items` in; return False if another request changed the row meanwhile."""
    if not row.key_arrived:
        raise OrderError("the recording's key.age must arrive before its ledger")
    _same_as_stored(row, items)
    fresh = [item for item in items if item.entry.n >= row.next_line]
    if not fresh:
        return True
    check_box_is_believed(row, believed)
    if row.state != State.RECEIVING:
        raise OrderError(f"the recording is {row.state}; no line can follow")
    first_line, before, arrived = row.next_line, row.taken_bytes, now()
    tail = _follow(row, fresh, parse_wall(arrived))
    check_more(row, before, parse_wall(arrived))
    check_tail(row.box_id, len(tail))
    verdicts = _judge(row, fresh)
    lines = b"".join(item.line for item in fresh)
    arrival = arrival_log.sign(row, "lines", digest(lines), at=arrived, first_line=first_line, lines=len(fresh))
    arrival.first_line, arrival.ledger, arrival.verdicts = first_line, lines, verdicts
    problems = _new_problems(row, verdicts)
    segments = [item.encrypted for item in fresh if item.encrypted is not None]
    with incoming(row.pk, f"lines-{first_line:08d}", segments) as kept:
        arrival.stored = kept.name
        # in this order: nothing waits for the store in a deed
        with transaction.atomic():
            kept.keep(row.pk)
            with one_deed() if row.state == State.CLOSED or problems else nullcontext():
                return _enter(row, first_line, arrival, tail, kept, problems)


def _enter(  # noqa: PLR0917 - all that is entered at once
    row: Recording,
    first_line: int,
    arrival: StoredArrival,
    tail: list[TailSegment],
    kept: Incoming,
    problems: dict[str, int],
) -> bool:
    """Enter a batch that begins with `first_line`; return False if another request changed the row meanwhile."""
    as_loaded = Recording.objects.filter(pk=row.pk, state=State.RECEIVING, next_line=first_line)
    if not as_loaded.update(**{name: getattr(row, name) for name in _CHANGED}):
        return False
    arrival.save(force_insert=True)
    TailSegment.objects.bulk_create(tail)
    _note(row, problems)
    kept.confirm()
    return True


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


def _follow(row: Recording, items: list[Item], arrived: datetime) -> list[TailSegment]:
    """Check that `items` follow on what is there, and change `row` to what it is with them; return the tail to come."""
    checker = LedgerChecker.resume(row.signed_header, bytes(row.header), row.checker)
    for item in items:
        checker.check_entry(item.entry, item.line)
    closing = checker.closing
    tail = closing.unverified_tail if closing else []
    check_room(checker.frames, max([checker.segments, *(part.segment + 1 for part in tail)]), checker.lines)
    row.next_line, row.frames, row.lost_frames = checker.lines, checker.frames, checker.lost_frames
    row.taken_bytes += sum(len(item.encrypted or b"") for item in items) + sum(part.size for part in tail)
    row.last_arrival_at = arrived
    row.checker = "" if closing else checker.snapshot()
    if closing:
        row.state, row.closed_at, row.end_reason = State.CLOSED, arrived, closing.reason
        row.outcome = "interrupted" if closing.reason == "interrupted" else "complete"
    return [TailSegment(recording=row, number=part.segment, size=part.size, sha256=part.sha256) for part in tail]


def _judge(row: Recording, items: list[Item]) -> dict[str, str]:
    """Return the verdicts on the segments that are not found ok, by their number."""
    segments = {
        item.entry.fact.segment: (item.encrypted, item.entry.fact.frames)
        for item in items
        if isinstance(item.entry.fact, ledger.Segment) and item.encrypted is not None
    }
    if not segments:
        return {}
    verdicts = judge_segments(row.signed_header, segments)
    return {str(number): verdict for number, verdict in verdicts.items() if verdict != OK}


def _new_problems(row: Recording, verdicts: dict[str, str]) -> dict[str, int]:
    """Return the first segment of each code of which the custody log does not tell yet.

    A box that encrypts to another key would make an entry a second, for good; what is wrong with each segment stands in
    the signed arrivals, and in the package (docs/format.md section 5.2).
    """
    found: dict[str, int] = {}
    for number, verdict in verdicts.items():
        if verdict != UNJUDGED:
            found.setdefault(verdict, int(number))
    if not found:
        return {}
    known = Entry.objects.about(Subject.recording(row.pk)).filter(code=PROBLEM.code, detail__contains='"segment":')
    return {
        verdict: number
        for verdict, number in found.items()
        if not known.filter(detail__contains=f'"code":"{verdict}"').exists()
    }


def _note(row: Recording, problems: dict[str, int]) -> None:
    subject = Subject.recording(row.pk)
    for verdict, number in problems.items():
        record(PROBLEM, actor=ARCHIVE, subject=subject, segment=number, code=verdict)
    if row.state == State.CLOSED:
        record(CLOSE, actor=Actor.box(row.box_id), subject=subject, reason=row.end_reason, frames=row.frames)
