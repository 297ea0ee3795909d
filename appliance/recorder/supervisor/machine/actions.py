"""What the supervisor is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from appliance.contract.ledger import Cause, Reason
from appliance.contract.status import Light


@dataclass(frozen=True)
class Action:
    """Anything to be done."""


@dataclass(frozen=True)
class SetRed(Action):
    """Switch the red lamp, and answer with RedSet."""

    lit: bool


@dataclass(frozen=True)
class SetGreen(Action):
    """Set the green light."""

    mode: Light


@dataclass(frozen=True)
class SetAmber(Action):
    """Set the amber light."""

    mode: Light
    blinks: int


@dataclass(frozen=True)
class SpawnCapture(Action):
    """Start a capture process and warm it."""


@dataclass(frozen=True)
class OpenCapture(Action):
    """Let the warm process open the microphone; only with the lit lamp's token."""

    generation: int


@dataclass(frozen=True)
class CloseCapture(Action):
    """Ask capture to close the microphone."""


@dataclass(frozen=True)
class KillCapture(Action):
    """Kill the capture process."""


@dataclass(frozen=True)
class CheckMicrophone(Action):
    """Look now whether the microphone is there, and answer with Checked."""


@dataclass(frozen=True)
class StartWriter(Action):
    """Start a writer process."""


@dataclass(frozen=True)
class KillWriter(Action):
    """Kill the writer process."""


@dataclass(frozen=True)
class BeginRecording(Action):
    """Let the writer begin a recording."""

    recording: str
    continues: str | None
    created_ns: int


@dataclass(frozen=True)
class Note(Action):
    """Let the writer enter something in the ledger."""

    entry: dict[str, Any]
    """A ledger entry without `type`, `recording`, `n` and `prev`."""


@dataclass(frozen=True)
class GapCause(Action):
    """Tell the writer why the frames before the next capture are missing."""

    cause: Cause
    now_ns: int


@dataclass(frozen=True)
class EndRecording(Action):
    """Let the writer drain the ring and close the recording."""

    reason: Reason


@dataclass(frozen=True)
class Log(Action):
    """Write into the journal; never a name, never a level of sound."""

    level: Literal["info", "warning", "error"]
    message: str


@dataclass(frozen=True)
class Exit(Action):
    """End the recorder."""

    status: int
