"""What happens to the recorder. `now_ns` is CLOCK_MONOTONIC in nanoseconds when it happened."""

from __future__ import annotations

from dataclasses import dataclass


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
class CaptureWarm(Event):
    """The capture process is ready; it has touched no device."""


@dataclass(frozen=True)
class CaptureOpening(Event):
    """Capture is about to look for the device."""


@dataclass(frozen=True)
class CaptureOpened(Event):
    """The stream was started."""


@dataclass(frozen=True)
class CaptureClosed(Event):
    """The device is closed; the process ends by itself."""


@dataclass(frozen=True)
class CaptureFailed(Event):
    """Capture could not open the device, or lost it."""

    message: str


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
class Heard(Event):
    """The writer's judgment of the microphone changed (hearing/judge.py); never a level."""

    quiet: bool
    """A live microphone is at its own floor."""
    faults: frozenset[str] = frozenset()
    """Every code that the judgment finds now."""


@dataclass(frozen=True)
class WriterReady(Event):
    """The spool is usable and what was open is closed."""

    continues: str | None
    """The recording that a crash interrupted less than ten minutes ago."""


@dataclass(frozen=True)
class WriterProgress(Event):
    """The writer's account of the running recording."""

    frames: int
    acked_frame: int
    write_seq: int
    """Blocks that capture had put into the ring when `frames` was counted; all of them are in it."""
    silence_frames: int = 0
    """Frames of `frames` that are silence in place of lost ones."""
    acked_silence: int = 0
    """Frames of `acked_frame` that are silence in place of lost ones."""
    acked_line: int = 0
    lost_frames: int = 0
    free_bytes: int | None = None


@dataclass(frozen=True)
class WriterBusy(Event):
    """The writer is seen to begin work on the disk, or to be done with it."""

    busy_since_ns: int | None


@dataclass(frozen=True)
class WriterChecked(Event):
    """The writer tried the spool."""

    faults: frozenset[str]
    free_bytes: int


@dataclass(frozen=True)
class WriterClosed(Event):
    """The recording's closing record is on disk."""


@dataclass(frozen=True)
class WriterFault(Event):
    """The spool failed the writer."""

    code: str
    fatal: bool
    """Whether the recording cannot be saved any longer."""


@dataclass(frozen=True)
class WriterDied(Event):
    """The writer process is gone."""


@dataclass(frozen=True)
class ShutdownAsked(Event):
    """The recorder is to end in good order."""
