"""What happens to the recorder. `now_ns` is CLOCK_MONOTONIC in nanoseconds when it happened."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.recorder.ipc.messages import FromCapture, FromWriter


@dataclass(frozen=True)
class Event:
    """Anything that happens."""

    now_ns: int


@dataclass(frozen=True)
class Tick(Event):
    """Time passed."""


@dataclass(frozen=True)
class ButtonDown(Event):
    """The button was pressed."""

    fresh_id: str
    """The identifier of the recording, should this press start one."""


@dataclass(frozen=True)
class ButtonFoundDown(Event):
    """The button was down already when the panel was started; it starts nothing."""


@dataclass(frozen=True)
class ButtonUp(Event):
    """The button was released."""


@dataclass(frozen=True)
class RedSet(Event):
    """The red lamp was commanded; the answer to SetRed."""

    lit: bool


@dataclass(frozen=True)
class LampSensed(Event):
    """The sensor in the lamp changed."""

    seen: bool


@dataclass(frozen=True)
class RailSensed(Event):
    """The microphone's supply came or went."""

    live: bool


@dataclass(frozen=True)
class PanelLost(Event):
    """Button and lights are out of reach."""


@dataclass(frozen=True)
class CaptureReported(Event):
    """The capture process sent a message."""

    message: FromCapture


@dataclass(frozen=True)
class CaptureDied(Event):
    """The capture process is gone, and with it its hold on the device."""


@dataclass(frozen=True)
class BlockSeen(Event):
    """Capture published a block."""

    write_seq: int
    """Blocks that capture put into the ring, ever."""


@dataclass(frozen=True)
class Checked(Event):
    """The idle checks were made; they opened nothing."""

    faults: frozenset[str]
    """Every code that the checks found."""
    present: bool
    """Whether the microphone's card is there, as far as can be told."""
    held: bool = False
    """Whether some program has the microphone open, our own included."""


@dataclass(frozen=True)
class WriterReported(Event):
    """The writer sent a message."""

    message: FromWriter


@dataclass(frozen=True)
class WriterBusy(Event):
    """The writer is seen to begin work on the disk, or to be done with it."""

    busy_since_ns: int | None


@dataclass(frozen=True)
class WriterDied(Event):
    """The writer process is gone."""


@dataclass(frozen=True)
class MessageRefused(Event):
    """A child sent what is no message of this recorder; what it would have said is not known."""

    reason: str
    """Which child, and what is wrong with the message."""


@dataclass(frozen=True)
class ShutdownAsked(Event):
    """The recorder is to end in good order."""


@dataclass(frozen=True)
class RestartAsked(Event):
    """The recorder is to end as soon as no recording is made, so that systemd starts its new version."""


AnyEvent = (
    Tick
    | ButtonDown
    | ButtonFoundDown
    | ButtonUp
    | RedSet
    | LampSensed
    | RailSensed
    | PanelLost
    | CaptureReported
    | CaptureDied
    | BlockSeen
    | Checked
    | WriterReported
    | WriterBusy
    | WriterDied
    | MessageRefused
    | ShutdownAsked
    | RestartAsked
)
