"""What box and archive signed: header, ledger, segments, receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from appliance.contract.chain import LedgerChecker
from appliance.contract.errors import DigestError, FormatError, SignatureError
from appliance.contract.header import Header
from appliance.contract.keys import KeyRing
from appliance.contract.ledger import ClockChange, Gap, Segment, TailSegment
from appliance.contract.package import PAYLOAD, TAG_FILES, segment_name
from appliance.contract.problems import explain
from appliance.contract.receipt import Outcome, Receipt, SealedFacts
from appliance.contract.signed import digest, split_lines
from appliance.contract.times import WallTime

from .bag import Bag, check_names


class Event(BaseModel):
    """One of `events.json` (docs/format.md section 5.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event: Literal["ingestion start", "ingestion end", "fixity check", "validation", "sealing"]
    at: WallTime
    agent: str
    outcome: str
    detail: str


_EVENTS = TypeAdapter(list[Event])


@dataclass
class Evidence:
    """What the signed lines say."""

    header: Header
    header_line: bytes
    ledger: bytes
    lines: int
    segments: list[Segment] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    clocks: list[tuple[int, ClockChange]] = field(default_factory=list)
    """Each with the number of its line."""
    tail: list[TailSegment] = field(default_factory=list)
    """Segments of the unverified tail that are here."""
    absent: list[TailSegment] = field(default_factory=list)
    """Those that the closing record lists and that never reached the archive: its arrival log names none of them, and
    its receipt counts the others."""
    frames: int = 0
    lost_frames: int = 0
    outcome: Outcome = "incomplete"


def check_header(bag: Bag, key_ring: KeyRing | None) -> tuple[Header, bytes, bool]:
    """Return the header, its line, and whether the key ring has the key that signed it."""
    line = bag.read("data/header.tsv")
    try:
        header = Header.read_own(line)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"data/header.tsv: {error.message}") from error
    if header.recording != bag.recording:
        raise FormatError(f"data/header.tsv: it belongs to recording {header.recording}")
    known = key_ring.boxes.get(header.box) if key_ring is not None else None
    if known is None:
        return header, line, False
    if header.box_key not in known:
        raise SignatureError(f"data/header.tsv: the key ring knows {header.box}, but not the key that signed here")
    return header, line, True


def check_ledger(bag: Bag, header: Header, header_line: bytes) -> Evidence:
    """Return what the ledger says after each line was checked."""
    data = bag.read("data/ledger.tsv")
    if data and not data.endswith(b"\n"):
        raise FormatError("data/ledger.tsv: the last line is cut off")
    checker = LedgerChecker(header, header_line)
    evidence = Evidence(header, header_line, data, 0)
    for line in split_lines(data):
        entry = checker.check_line(line)
        match entry.fact:
            case Segment() as segment:
                evidence.segments.append(segment)
            case Gap() as gap:
                evidence.gaps.append(gap)
            case ClockChange() as change:
                evidence.clocks.append((entry.n, change))
            case _:
                pass
    evidence.lines, evidence.frames, evidence.lost_frames = checker.lines, checker.frames, checker.lost_frames
    if checker.closing is not None:
        for part in checker.closing.unverified_tail:
            here = bag.has(segment_name(part.segment, tail=True))
            (evidence.tail if here else evidence.absent).append(part)
        evidence.outcome = "interrupted" if checker.closing.reason == "interrupted" else "complete"
    return evidence


def check_segments(bag: Bag, evidence: Evidence) -> str:
    """Check that exactly the signed segments are there, by name and size; return what is checked with their digests."""
    parts = _parts(evidence)
    check_names(bag, [*TAG_FILES, *PAYLOAD, *(name for name, _, _ in parts)])
    for name, size, _ in parts:
        if bag.size(name) != size:
            raise DigestError(f"{name}: it has {bag.size(name)} bytes; the signed ledger says {size}")
    length = duration(evidence.frames / evidence.header.audio.rate)
    return f"{len(evidence.segments)} segments, {length} of audio, each with the digest that the box signed"


def read_segments(bag: Bag, evidence: Evidence, tell: Callable[[int, int], None]) -> Iterator[tuple[Segment, bytes]]:
    """Yield each signed segment with its bytes, which have the signed digest; check those of the tail at the end.

    `tell` is called with how many of how many are read. Raises DigestError.
    """
    parts = _parts(evidence)
    for done, (name, _, sha256) in enumerate(parts):
        tell(done, len(parts))
        data = bag.read(name)
        if bag.digests[name] != sha256:
            raise DigestError(f"{name}: its digest is not the one in the signed ledger")
        if done < len(evidence.segments):
            yield evidence.segments[done], data


def _parts(evidence: Evidence) -> list[tuple[str, int, str]]:
    """Return name in the bag, size and digest of each segment, those of the tail last."""
    parts = [(segment_name(one.segment), one.size, one.sha256) for one in evidence.segments]
    return parts + [(segment_name(one.segment, tail=True), one.size, one.sha256) for one in evidence.tail]


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min {rest} s" if minutes >= 60 else f"{minutes} min {rest} s"


def check_receipt(bag: Bag, evidence: Evidence, key_ring: KeyRing | None) -> tuple[Receipt, bool]:
    """Return the receipt, and whether the key ring has the key that signed it."""
    line = bag.read("receipt.tsv")
    header = evidence.header
    facts = SealedFacts(
        recording=header.recording,
        box=header.box,
        header_sha256=digest(evidence.header_line),
        ledger_lines=evidence.lines,
        ledger_sha256=digest(evidence.ledger),
        segments=len(evidence.segments),
        frames=evidence.frames,
        tail=len(evidence.tail),
        outcome=evidence.outcome,
        key_sha256=header.key_sha256,
    )
    try:
        receipt = Receipt.read(line, Receipt.read(line, None).archive_key)
        receipt.require(facts)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"receipt.tsv: {error.message}") from error
    pinned = key_ring is not None and bool(key_ring.archives)
    if key_ring is not None and pinned and receipt.archive_key not in key_ring.archives:
        raise SignatureError("receipt.tsv: the key ring does not have the archive key that signed here")
    return receipt, pinned


def check_events(bag: Bag) -> None:
    """Check the form of `events.json`; its contents are the archive's own statement, covered by the receipt."""
    try:
        _EVENTS.validate_json(bag.read("data/events.json"))
    except ValidationError as error:
        raise FormatError(f"data/events.json: {explain(error)}") from error
