"""A recording's ledger (docs/format.md section 2.4): facts, one model a kind, and the entry that chains a fact.

A fact says what happened; whoever knows it makes it. An entry is a fact in its place in one recording's ledger; only
who writes the ledger makes entries. In the stored line the members of both stand in one JSON object.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .errors import FormatError
from .ids import MAX_COUNT, Digest, RecordingId
from .problems import explain, location
from .signed import SignedModel
from .times import Clock, WallTime

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Cause = Literal["overrun", "stall", "unplugged", "capture-died", "checksum", "unexplained"]
Reason = Literal[
    "button", "cap", "quiet", "paused-too-long", "disk-full", "fault", "shutdown", "interrupted",
]  # fmt: skip


class Fact(BaseModel):
    """What happened, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    t_ns: int
    """CLOCK_MONOTONIC when it happened, or was found, in nanoseconds."""


class Segment(Fact):
    """A segment is complete on disk."""

    kind: Literal["segment"] = "segment"
    segment: Count
    first_frame: Count
    frames: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    size: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    sha256: Digest
    captured_ns: int


class Lamp(Fact):
    """The red lamp was switched."""

    kind: Literal["lamp"] = "lamp"
    lit: bool
    commanded_ns: int
    seen_ns: int | None


class AudioSpan(Fact):
    """A capture device is about to be opened, or was closed."""

    kind: Literal["audio"] = "audio"
    open: bool
    at_ns: int
    generation: Annotated[int, Field(ge=1, le=MAX_COUNT)]


class Gap(Fact):
    """Frames were lost and are written as silence."""

    kind: Literal["gap"] = "gap"
    first_frame: Count
    frames: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    cause: Cause


class Pause(Fact):
    """Recording paused or resumed before this frame."""

    kind: Literal["pause"] = "pause"
    frame: Count
    paused: bool


class ClockChange(Fact):
    """The wall clock was stepped, or its state changed."""

    kind: Literal["clock"] = "clock"
    at: WallTime
    step_ns: int
    clock: Clock


class Drift(Fact):
    """The sound card's rate against CLOCK_MONOTONIC."""

    kind: Literal["drift"] = "drift"
    frame: Count
    ppb: int


class Fault(Fact):
    """An amber code came or went."""

    kind: Literal["fault"] = "fault"
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    raised: bool


class EndWarning(Fact):
    """The recording will end by itself."""

    kind: Literal["warning"] = "warning"
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    in_s: Count


class TailSegment(BaseModel):
    """A segment that was found without a ledger line after an interruption."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    segment: Count
    size: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    sha256: Digest


class Closing(Fact):
    """The last line of a complete ledger."""

    kind: Literal["closing"] = "closing"
    reason: Reason
    frames: Count
    segments: Count
    lost_frames: Count
    ended_at: WallTime
    clock: Clock
    unverified_tail: list[TailSegment]


AnyFact = Annotated[
    Segment | Lamp | AudioSpan | Gap | Pause | ClockChange | Drift | Fault | EndWarning | Closing,
    Field(discriminator="kind"),
]
_FACTS: TypeAdapter[AnyFact] = TypeAdapter(AnyFact)
ENTRY_TYPE: Final = "plainsight/entry/1"
_OF_ENTRY: Final = ("type", "recording", "n", "prev")


class Entry(SignedModel):
    """One line of a recording's ledger: a fact, and its place in the chain."""

    type: Literal["plainsight/entry/1"] = ENTRY_TYPE
    recording: RecordingId
    n: Count
    """The line's number, from 0."""
    prev: Digest
    """Line digest of the line before; of line 0, of the header."""
    fact: AnyFact

    def members(self) -> dict[str, Any]:
        """Return the stored line's members, the fact's behind the entry's own."""
        own = self.model_dump(mode="json", exclude={"fact"})
        return {**own, **self.fact.model_dump(mode="json")}

    @classmethod
    def from_members(cls, members: dict[str, Any]) -> Self:
        """Return the entry that a line's members describe; raise FormatError that names the offending member."""
        if members.get("type", ENTRY_TYPE) != ENTRY_TYPE:
            raise FormatError("not a ledger line", field="type")
        own = {name: members[name] for name in _OF_ENTRY if name in members}
        try:
            fact = _FACTS.validate_python({name: value for name, value in members.items() if name not in own})
            return cls.model_validate({**own, "fact": fact})
        except ValidationError as error:
            raise FormatError(explain(error), field=location(error)) from error
