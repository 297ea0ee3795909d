"""What box and archive signed: header, ledger, segments, arrivals, receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ..chain import LedgerChecker
from ..errors import DigestError, FormatError, OrderError, SignatureError
from ..header import Header
from ..keys import KeyRing
from ..ledger import Gap, Segment, TailSegment
from ..package import PAYLOAD, TAG_FILES, segment_name, tail_name
from ..problems import explain
from ..receipt import Arrival, Outcome, Receipt
from ..signed import digest, split_lines
from ..times import WallTime
from .bag import Bag, check_names

Progress = Callable[[str, int, int], None]


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
    tail: list[TailSegment] = field(default_factory=list)
    frames: int = 0
    lost_frames: int = 0
    outcome: Outcome = "incomplete"


def check_header(bag: Bag, key_ring: KeyRing | None) -> tuple[Header, bytes, bool]:
    """Return the header, its line, and whether a key from outside vouches for it."""
    line = bag.read("data/header.tsv")
    try:
        header = Header.read(line, Header.read(line, None).box_key)
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
        entry = checker.feed(line)
        if isinstance(entry, Segment):
            evidence.segments.append(entry)
        elif isinstance(entry, Gap):
            evidence.gaps.append(entry)
    evidence.lines, evidence.frames, evidence.lost_frames = checker.lines, checker.frames, checker.lost_frames
    if checker.closing is not None:
        evidence.tail = list(checker.closing.unverified_tail)
        evidence.outcome = "interrupted" if checker.closing.reason == "interrupted" else "complete"
    return evidence


def check_segments(bag: Bag, evidence: Evidence, progress: Progress) -> str:
    """Check that exactly the signed segments are there, each with its digest; return what was checked."""
    parts = [(segment_name(one.segment), one.size, one.sha256) for one in evidence.segments]
    parts += [(tail_name(one.segment), one.size, one.sha256) for one in evidence.tail]
    check_names(bag, [*TAG_FILES, *PAYLOAD, *(name for name, _, _ in parts)])
    for done, (name, size, sha256) in enumerate(parts):
        progress("segments", done, len(parts))
        data = bag.read(name)
        if len(data) != size:
            raise DigestError(f"{name}: it has {len(data)} bytes; the signed ledger says {size}")
        if bag.digests[name] != sha256:
            raise DigestError(f"{name}: its digest is not the one in the signed ledger")
    seconds = evidence.frames / evidence.header.audio.rate
    return f"{len(evidence.segments)} segments, {seconds:.1f} s of audio, each with the digest that the box signed"


def check_receipt(bag: Bag, evidence: Evidence, key_ring: KeyRing | None) -> tuple[Receipt, bool]:
    """Return the receipt, and whether a key from outside vouches for it."""
    line = bag.read("receipt.tsv")
    try:
        receipt = Receipt.read(line, Receipt.read(line, None).archive_key)
    except (FormatError, SignatureError) as error:
        raise type(error)(f"receipt.tsv: {error.message}") from error
    header = evidence.header
    expected: dict[str, object] = {
        "recording": header.recording,
        "box": header.box,
        "header_sha256": digest(evidence.header_line),
        "ledger_lines": evidence.lines,
        "ledger_sha256": digest(evidence.ledger),
        "segments": len(evidence.segments),
        "frames": evidence.frames,
        "tail": len(evidence.tail),
        "outcome": evidence.outcome,
        "key_sha256": header.key_sha256,
    }
    for member, value in expected.items():
        if getattr(receipt, member) != value:
            raise FormatError(f"receipt.tsv: {member} is {getattr(receipt, member)}; what is here makes it {value}")
    pinned = key_ring is not None and bool(key_ring.archives)
    if key_ring is not None and pinned and receipt.archive_key not in key_ring.archives:
        raise SignatureError("receipt.tsv: the key ring does not have the archive key that signed here")
    return receipt, pinned


def check_arrivals(bag: Bag, evidence: Evidence, receipt: Receipt) -> str:
    """Check the archive's log of what arrived against what is here; return what was checked."""
    data = bag.read("data/arrivals.tsv")
    lines = split_lines(data)
    if b"".join(lines) != data or not lines:
        raise FormatError("data/arrivals.tsv: the last line is cut off")
    ledger = split_lines(evidence.ledger)
    prev, next_line, once = digest(evidence.header_line), 0, {"header": 0, "key": 0, "tail": 0}
    expected = {"header": digest(evidence.header_line), "key": evidence.header.key_sha256}
    tail = {part.sha256 for part in evidence.tail}
    for number, line in enumerate(lines):
        place = f"data/arrivals.tsv line {number}"
        try:
            arrival = Arrival.read(line, receipt.archive_key)
        except (FormatError, SignatureError) as error:
            raise type(error)(f"{place}: {error.message}") from error
        if (arrival.n, arrival.prev, arrival.recording) != (number, prev, evidence.header.recording):
            raise OrderError(f"{place}: it does not follow on the line before it")
        prev = digest(line)
        last = number == len(lines) - 1
        if (arrival.what == "seal") != last:
            raise OrderError(f"{place}: the log must end with its one seal")
        if arrival.what == "lines":
            run = b"".join(ledger[next_line : next_line + arrival.lines])
            if arrival.first_line != next_line or digest(run) != arrival.sha256:
                raise DigestError(f"{place}: ledger lines from {next_line} on are not those that had arrived")
            next_line += arrival.lines
            continue
        if arrival.what == "seal":
            fits = arrival.sha256 == digest(evidence.ledger)
        else:
            once[arrival.what] += 1
            fits = arrival.sha256 in tail if arrival.what == "tail" else arrival.sha256 == expected[arrival.what]
        if not fits or (arrival.first_line, arrival.lines) != (0, 0):
            raise DigestError(f"{place}: what is here is not the {arrival.what} that had arrived")
    if next_line != len(ledger):
        raise OrderError(f"data/arrivals.tsv: {len(ledger) - next_line} ledger lines never arrived")
    if once["header"] != 1 or once["key"] > 1 or once["tail"] != len(evidence.tail):
        raise OrderError("data/arrivals.tsv: header, key and tail must have arrived once each")
    return f"{len(lines)} arrivals are signed by the archive and are exactly what is here"


def check_events(bag: Bag) -> None:
    """Check the form of `events.json`; what it says is the archive's word, covered by the receipt."""
    try:
        _EVENTS.validate_json(bag.read("data/events.json"))
    except ValidationError as error:
        raise FormatError(f"data/events.json: {explain(error)}") from error
