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
from archive.recordings.models import IncomingSegment, Recording
from archive.recordings.stored_ledger import lines_from
from archive.recordings.validation import OK, UNJUDGED, judge_segment, judge_tail
from archive.store.base import incoming_name
from archive.store.current import store

from .events import Story, as_json


@dataclass(frozen=True)
class Material:
    """Everything that goes into one package but the segments' bytes, which are read one by one."""

    header: Header
    header_line: bytes
    ledger: bytes
    ledger_lines: int
    arrivals: bytes
    events: bytes
    segments: list[IncomingSegment]
    tail: list[IncomingSegment]

    def segment_bytes(self, segment: IncomingSegment) -> bytes:
        """Return a segment's file, checked against what the box signed; raise DigestError if the disk spoiled it."""
        still_working()
        name = incoming_name(self.header.recording, segment.number, tail=segment.tail)
        try:
            data = store().read(name)
        except StorageError as error:
            raise StorageError(f"{name} is gone or unreadable ({error.message}); restore it from a backup") from error
        if len(data) != segment.size or digest(data) != segment.sha256:
            raise DigestError(f"{name} is damaged on the archive's disk; restore it from a backup")
        return data

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Yield the payload in the order of docs/format.md section 5."""
        yield "data/header.tsv", self.header_line
        yield "data/ledger.tsv", self.ledger
        yield "data/arrivals.tsv", self.arrivals
        yield "data/events.json", self.events
        for segment in self.segments:
            yield segment_name(segment.number), self.segment_bytes(segment)
        for segment in self.tail:
            yield segment_name(segment.number, tail=True), self.segment_bytes(segment)


def gather(row: Recording) -> Material:
    """Return a closed recording's material; raise an error that names what does not hold."""
    header = Header.read(bytes(row.header), row.signed_header.box_key)
    lines = lines_from(row, 0)
    segments = list(row.incoming.filter(tail=False).order_by("number"))
    tail = list(row.incoming.filter(tail=True).order_by("number"))
    _check_ledger(row, header, lines, segments)
    data = b"".join(lines)
    made = Material(header, bytes(row.header), data, len(lines), b"", b"", segments, tail)
    _judge_the_rest(made)
    return Material(header, bytes(row.header), data, len(lines), _arrivals(row), _events(row, made), segments, tail)


def _check_ledger(row: Recording, header: Header, lines: list[bytes], segments: list[IncomingSegment]) -> None:
    checker = LedgerChecker(header, bytes(row.header))
    facts = [checker.check_line(line).fact for line in lines]
    signed = [
        (fact.segment, fact.first_frame, fact.frames, fact.size, fact.sha256)
        for fact in facts
        if isinstance(fact, ledger.Segment)
    ]
    kept = [(one.number, one.first_frame, one.frames, one.size, one.sha256) for one in segments]
    if signed != kept or len(lines) != row.next_line:
        raise StorageError("the database's list of segments does not fit the signed ledger; restore it from a backup")
    closed = bool(facts) and isinstance(facts[-1], ledger.Closing)
    if closed != (row.outcome != "incomplete"):
        raise OrderError("the ledger's closing record and the recording's outcome contradict each other")


def _judge_the_rest(material: Material) -> None:
    """Judge what could not be judged on arrival, because the keystore did not work then."""
    for segment in material.segments:
        if segment.verdict == UNJUDGED:
            encrypted = material.segment_bytes(segment)
            segment.verdict = judge_segment(material.header, encrypted, segment.frames)
            segment.save(update_fields=["verdict"])
    for segment in material.tail:
        if segment.verdict == UNJUDGED:
            segment.verdict, segment.frames = judge_tail(material.header, material.segment_bytes(segment))
            segment.save(update_fields=["verdict", "frames"])


def _arrivals(row: Recording) -> bytes:
    data = log_bytes(row)
    before = bytes(row.header)
    for line in split_lines(data):
        if f'"prev":"{digest(before)}"'.encode() not in line:
            raise StorageError("the arrival log in the database is broken; restore it from a backup")
        before = line
    return data


def _events(row: Recording, material: Material) -> bytes:
    named = [(f"segment {one.number}", one.verdict) for one in material.segments]
    named += [(f"tail {one.number}", one.verdict) for one in material.tail]
    return as_json(
        Story(
            box=row.box_id,
            arrived_at=wall(row.arrived_at),
            closed_at=wall(row.closed_at or row.arrived_at),
            sealed_at=row.sealing_text,
            outcome=row.outcome,
            segments=len(material.segments),
            tail=len(material.tail),
            key_verdict=row.key_verdict,
            verdicts={name: verdict for name, verdict in named if verdict != OK},
        )
    )
