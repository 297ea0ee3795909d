"""Gathering what a package is made of, and checking all of it once more from the stored bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.contract import ledger
from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import DigestError, OrderError, StorageError
from appliance.contract.header import Header
from appliance.contract.package import segment_name
from appliance.contract.signed import digest, split_lines
from appliance.contract.times import wall
from archive.core.jobs import still_working
from archive.recordings.arrival_log import log_bytes
from archive.recordings.models import Recording, StoredArrival, TailSegment
from archive.recordings.validation import OK, UNJUDGED, judge_segments, judge_tail
from archive.store.current import store

from .events import Story, as_json


@dataclass(frozen=True)
class StoredSegment:
    """One segment that arrived, and where it lies."""

    number: int
    frames: int
    """Length in frames, as signed."""
    size: int
    """Size in bytes, as signed."""
    sha256: str
    """Digest, as signed."""
    stored: str
    """The object in the store that holds it."""
    offset: int = 0
    """Where it begins in that object, in bytes."""

    def read(self) -> bytes:
        """Return its bytes, checked against what the box signed; raise DigestError if the disk spoiled them."""
        still_working()
        name = f"segment {self.number} in {self.stored}"
        try:
            data = store().read_range(self.stored, self.offset, self.size)
        except StorageError as error:
            raise StorageError(f"{name} is gone or unreadable ({error.message}); restore it from a backup") from error
        if digest(data) != self.sha256:
            raise DigestError(f"{name} is damaged on the archive's disk; restore it from a backup")
        return data


@dataclass(frozen=True)
class Material:
    """Everything that goes into one package but the segments' bytes, which are read one by one."""

    header: Header
    header_line: bytes
    ledger: bytes
    ledger_lines: int
    arrivals: bytes
    events: bytes
    segments: list[StoredSegment]
    tail: list[StoredSegment]

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Yield the payload in the order of docs/format.md section 5."""
        yield "data/header.tsv", self.header_line
        yield "data/ledger.tsv", self.ledger
        yield "data/arrivals.tsv", self.arrivals
        yield "data/events.json", self.events
        for segment in self.segments:
            yield segment_name(segment.number), segment.read()
        for segment in self.tail:
            yield segment_name(segment.number, tail=True), segment.read()


def gather(row: Recording) -> Material:
    """Return a closed recording's material; raise an error that names what does not hold."""
    header = row.signed_header
    batches = list(row.arrivals.filter(first_line__isnull=False).order_by("first_line"))
    segments, listed = _check_ledger(row, header, batches)
    verdicts = {f"segment {number}": verdict for batch in batches for number, verdict in batch.verdicts.items()}
    tail = list(row.tail.order_by("number"))
    for one in tail:
        _judge_tail(header, one)
    verdicts |= {f"tail {one.number}": one.verdict for one in tail if one.verdict != OK}
    return Material(
        header=header,
        header_line=bytes(row.header),
        ledger=b"".join(bytes(batch.ledger) for batch in batches),
        ledger_lines=row.next_line,
        arrivals=_arrivals(row),
        events=_events(row, len(segments), len(tail), verdicts, absent=listed - len(tail)),
        segments=segments,
        tail=[_of_tail(one) for one in tail],
    )


def _check_ledger(row: Recording, header: Header, batches: list[StoredArrival]) -> tuple[list[StoredSegment], int]:
    """Check the whole ledger again; return the segments in it, and how many its end lists as unverified tail."""
    checker = LedgerChecker(header, bytes(row.header))
    segments: list[StoredSegment] = []
    for batch in batches:
        segments += _segments(checker, batch)
    if checker.lines != row.next_line:
        raise StorageError("the database does not have all ledger lines that arrived; restore it from a backup")
    if (checker.closing is not None) != (row.outcome != "incomplete"):
        raise OrderError("the ledger's closing record and the recording's outcome contradict each other")
    return segments, len(checker.closing.unverified_tail) if checker.closing is not None else 0


def _segments(checker: LedgerChecker, batch: StoredArrival) -> list[StoredSegment]:
    found: list[StoredSegment] = []
    offset = 0
    for line in split_lines(bytes(batch.ledger)):
        fact = checker.check_line(line).fact
        if isinstance(fact, ledger.Segment):
            found.append(StoredSegment(fact.segment, fact.frames, fact.size, fact.sha256, batch.stored, offset))
            offset += fact.size
    _judge(checker.header, batch, found)
    return found


def _judge(header: Header, batch: StoredArrival, segments: list[StoredSegment]) -> None:
    """Judge what could not be judged on arrival, because the keystore did not work then."""
    waiting = [one for one in segments if batch.verdicts.get(str(one.number), OK) == UNJUDGED]
    if waiting:
        found = judge_segments(header, {one.number: (one.read(), one.frames) for one in waiting})
        verdicts = batch.verdicts | {str(number): verdict for number, verdict in found.items()}
        batch.verdicts = {number: verdict for number, verdict in verdicts.items() if verdict != OK}
        batch.save(update_fields=["verdicts"])


def _judge_tail(header: Header, row: TailSegment) -> None:
    if row.verdict == UNJUDGED:
        row.verdict, row.frames = judge_tail(header, _of_tail(row).read())
        row.save(update_fields=["verdict", "frames"])


def _of_tail(row: TailSegment) -> StoredSegment:
    return StoredSegment(row.number, row.frames, row.size, row.sha256, row.stored)


def _arrivals(row: Recording) -> bytes:
    data = log_bytes(row)
    before = bytes(row.header)
    for line in split_lines(data):
        if f'"prev":"{digest(before)}"'.encode() not in line:
            raise StorageError("the arrival log in the database is broken; restore it from a backup")
        before = line
    return data


def _events(row: Recording, segments: int, tail: int, verdicts: dict[str, str], *, absent: int) -> bytes:
    return as_json(
        Story(
            box=row.box_id,
            arrived_at=wall(row.arrived_at),
            closed_at=wall(row.closed_at or row.arrived_at),
            sealed_at=row.sealing_text,
            outcome=row.outcome,
            segments=segments,
            tail=tail,
            key_verdict=row.key_verdict,
            verdicts=verdicts,
            absent=absent,
        )
    )
