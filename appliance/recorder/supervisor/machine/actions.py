"""What the supervisor is asked to do. What it is to send to the writer is asked for as the message itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from appliance.contract.status import Light
from appliance.recorder.ipc.messages import BeginRecording, EndRecording, EnterFact, EnterPause, ExpectGap


@dataclass(frozen=True)
class SetRed:
    """Switch the red lamp, and answer with RedSet."""

    lit: bool


@dataclass(frozen=True)
class SetGreen:
    """Set the green light."""

    mode: Light


@dataclass(frozen=True)
class SetAmber:
    """Set the amber light."""

    mode: Light
    blinks: int


@dataclass(frozen=True)
class SpawnCapture:
    """Start a capture process and warm it."""


@dataclass(frozen=True)
class OpenCapture:
    """Let the warm process open the microphone; only with the lit lamp's token."""

    generation: int


@dataclass(frozen=True)
class CloseCapture:
    """Ask capture to close the microphone."""


@dataclass(frozen=True)
class KillCapture:
    """Kill the capture process."""


@dataclass(frozen=True)
class CheckMicrophone:
    """Look now whether the microphone is there, and answer with Checked."""


@dataclass(frozen=True)
class StartWriter:
    """Start a writer process."""


@dataclass(frozen=True)
class KillWriter:
    """Kill the writer process."""


@dataclass(frozen=True)
class Log:
    """Write into the journal; never a name, never a level of sound."""

    level: Literal["info", "warning", "error"]
    message: str


@dataclass(frozen=True)
class Exit:
    """End the recorder."""

    status: int


ForWriter = BeginRecording | EnterFact | EnterPause | ExpectGap | EndRecording
Action = (
    SetRed
    | SetGreen
    | SetAmber
    | SpawnCapture
    | OpenCapture
    | CloseCapture
    | KillCapture
    | CheckMicrophone
    | StartWriter
    | KillWriter
    | Log
    | Exit
    | ForWriter
)
