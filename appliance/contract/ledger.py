"""The entries of a recording's ledger (docs/format.md section 2.4), one model a kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .errors import FormatError, SignatureError
from .ids import Digest, RecordingId
from .keys import signature_fits
from .problems import explain, location
from .signed import SignedModel, parse_json, split
from .times import Clock, WallTime

Count = Annotated[int, Field(ge=0)]
Cause = Literal["overrun", "stall", "unplugged", "capture-died", "checksum", "unexplained"]
Reason = Literal[
    "button", "cap", "quiet", "paused-too-long", "disk-full", "fault", "shutdown", "interrupted",
]  # fmt: skip


class Entry(SignedModel):
    """What every ledger line has."""

    type: Literal["plainsight/entry/1"] = "plainsight/entry/1"
    recording: RecordingId
    n: Count
    prev: Digest
    t_ns: int


class Segment(Entry):
    """A segment is complete on disk."""

    kind: Literal["segment"] = "segment"
    segment: Count
    first_frame: Count
    frames: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=1)]
    sha256: Digest
    captured_ns: int


class Lamp(Entry):
    """The red lamp was switched."""

    kind: Literal["lamp"] = "lamp"
    lit: bool
    commanded_ns: int
    seen_ns: int | None


class AudioSpan(Entry):
    """A capture device is about to be opened, or was closed."""

    kind: Literal["audio"] = "audio"
    open: bool
    at_ns: int
    generation: Annotated[int, Field(ge=1)]


class Gap(Entry):
    """Frames were lost and are written as silence."""

    kind: Literal["gap"] = "gap"
    first_frame: Count
    frames: Annotated[int, Field(ge=1)]
    cause: Cause


class Pause(Entry):
    """Recording paused or resumed before this frame."""

    kind: Literal["pause"] = "pause"
    frame: Count
    paused: bool


class ClockEntry(Entry):
    """The wall clock was stepped, or its state changed."""

    kind: Literal["clock"] = "clock"
    at: WallTime
    step_ns: int
    clock: Clock


class Drift(Entry):
    """The sound card's rate against CLOCK_MONOTONIC."""

    kind: Literal["drift"] = "drift"
    frame: Count
    ppb: int


class Fault(Entry):
    """An amber code came or went."""

    kind: Literal["fault"] = "fault"
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    raised: bool


class Warning(Entry):  # noqa: A001 - the format's own word, always used as ledger.Warning
    """The recording will end by itself."""

    kind: Literal["warning"] = "warning"
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    in_s: Count


class TailSegment(BaseModel):
    """A segment that was found without a ledger line after an interruption."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    segment: Count
    size: Annotated[int, Field(ge=1)]
    sha256: Digest


class Closing(Entry):
    """The last line of a complete ledger."""

    kind: Literal["closing"] = "closing"
    reason: Reason
    frames: Count
    segments: Count
    lost_frames: Count
    ended_at: WallTime
    clock: Clock
    unverified_tail: list[TailSegment]


AnyEntry = Annotated[
    Segment | Lamp | AudioSpan | Gap | Pause | ClockEntry | Drift | Fault | Warning | Closing,
    Field(discriminator="kind"),
]
_ENTRIES: TypeAdapter[AnyEntry] = TypeAdapter(AnyEntry)


def make_entry(members: dict[str, Any]) -> AnyEntry:
    """Return the entry that `members` describe; raise FormatError that names the offending member."""
    try:
        return _ENTRIES.validate_python({"type": "plainsight/entry/1", **members})
    except ValidationError as error:
        raise FormatError(explain(error), field=location(error)) from error


def read_entry(line: bytes, key: str | None) -> AnyEntry:
    """Return the entry in a signed line, as SignedModel.read does for the other types."""
    payload, signature = split(line)
    if not payload.startswith(b'{"type":'):
        raise FormatError("the first member of a signed line is 'type'", field="type")
    if key is not None and not signature_fits(key, signature, payload):
        raise SignatureError(f"the signature does not fit the key {key}")
    members = parse_json(payload)
    if members.get("type") != "plainsight/entry/1":
        raise FormatError("not a ledger line", field="type")
    return make_entry(members)
