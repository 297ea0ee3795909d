"""The recorder's status, and the courier's account of its work (docs/architecture.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .ids import BoxId, Int64, Natural, RecordingId

State = Literal["self-test", "idle", "arming", "recording", "paused", "ending", "fault"]
Light = Literal["off", "on", "slow"]
MAX_FAULTS = 64
"""More amber codes than this never hold at once; amber_codes.py has half as many."""
FaultCode = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
STALE_NS = 2_000_000_000
"""Age in nanoseconds at which a recorder's status is no longer believed."""
MAX_REPORT_S = 30.0
"""Longest pause between two reports of a courier, in seconds."""
MAX_SILENCE_S = 35.0
"""After so long without a report, in seconds, nothing is known of a box."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1


class Lights(BaseModel):
    """The three lights as commanded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    red: Light = "off"
    """REC: the microphone may be live."""
    green: Light = "off"
    """SAFE: ready when idle; everything read back while recording; slow when paused or about to end."""
    amber: Light = "off"
    """CHECK: something needs attention."""


class RecorderStatus(_Message):
    """The recorder's state, twice a second and on each change."""

    box: BoxId
    boot_id: Annotated[str, Field(max_length=64)]
    """The kernel's boot id, within which monotonic_ns counts."""
    monotonic_ns: Int64
    """CLOCK_MONOTONIC when this was written, in nanoseconds."""
    state: State
    ready: bool
    """Whether a press would start a recording."""
    recording: RecordingId | None
    since_ns: Int64
    """CLOCK_MONOTONIC when the state began, in nanoseconds."""
    frames: Natural = 0
    """Frames captured in this recording."""
    acked_frame: Natural = 0
    """Frames acknowledged (docs/format.md section 2.6)."""
    acked_line: Natural = 0
    """Ledger lines acknowledged."""
    lost_frames: Natural = 0
    """Frames written as silence in this recording."""
    rate: Annotated[int, Field(ge=1000, le=384000)] = 48000
    """Frames in a second."""
    lights: Lights = Lights()
    lamp: Literal["verified", "unverified"] = "unverified"
    """Whether 'lit' means seen to be lit."""
    panel: Literal["gpio", "simulated"] = "gpio"
    faults: Annotated[list[FaultCode], Field(max_length=MAX_FAULTS)] = []
    """Amber codes that hold now."""
    free_bytes: Natural | None = None
    """Free space of the spool in bytes, or None before the first look."""

    def fresh(self, boot_id: str, now_ns: int) -> bool:
        """Tell whether this was written in the boot `boot_id` and, at `now_ns`, not more than two seconds ago.

        One from the future is not fresh.
        """
        return self.boot_id == boot_id and 0 <= now_ns - self.monotonic_ns <= STALE_NS


class SilentStatus(_Message):
    """What the courier publishes when the recorder's status is missing or stale."""

    box: BoxId
    state: Literal["silent"] = "silent"
    last_monotonic_ns: Int64 | None
    """CLOCK_MONOTONIC of the recorder's last status in nanoseconds, or None if there was none."""


class UploadProgress(BaseModel):
    """How far one recording got."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: Natural = 0
    """Ledger lines that the archive has."""
    frames: Natural = 0
    """Frames in the segments that the archive has."""
    state: Literal["receiving", "closed", "sealed", "refused"] = "receiving"


class CourierProgress(_Message):
    """The courier's own account, for the box's people and the simulator's page."""

    monotonic_ns: Int64
    broker: Literal["up", "down"]
    archive: Literal["up", "down", "refusing"]
    recordings: dict[RecordingId, UploadProgress] = {}


class UploadState(_Message):
    """The archive's answer about one recording (docs/format.md section 3)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    recording: RecordingId
    state: Literal["receiving", "closed", "sealed", "refused"]
    next_line: Natural
    frames: Natural
    tail_missing: list[Natural] = []


class Online(_Message):
    """Whether the courier is connected; `false` is the Will."""

    online: bool
    session: Int64
    """A number that grows with each connection, so that an old Will can be told from a new state."""


class FaultMessage(_Message):
    """One amber code that holds."""

    code: FaultCode
    since_ns: Int64


class About(_Message):
    """What the box is."""

    box: BoxId
    software: Annotated[str, Field(max_length=200)]
    panel: Literal["gpio", "simulated"]
    lamp: Literal["verified", "unverified"]


class Event(_Message):
    """Something that happened once, for people who watch; the ledger is the record."""

    kind: Annotated[str, Field(pattern=r"^[a-z-]{2,40}$")]
    recording: RecordingId | None = None
    monotonic_ns: Int64
