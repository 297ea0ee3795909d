"""The parts of a simulated box: its settings, its microphone with the process that holds it, and its writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.recorder.settings import Limits, Times
from appliance.recorder.supervisor.machine import Parameters

MS = 1_000_000
SECOND = 1000 * MS
TICK = 100 * MS


def parameters(*, sensed: bool = True, times: Times | None = None, limits: Limits | None = None) -> Parameters:
    class Microphone:
        rate = 48000

    class Settings:
        pass

    settings: Any = Settings()
    settings.times, settings.limits, settings.microphone = times or Times(), limits or Limits(), Microphone()
    return Parameters.of(settings, sensed=sensed, block_frames=4096)


@dataclass
class Microphone:
    """The device and the process that holds it."""

    plugged: bool = True
    stalls: bool = False
    wakes_ns: int = 0
    """From the opening to the first block."""
    opened_ns: int = 0
    hangs_on_close: bool = False
    refuses: bool = False
    never_warm: bool = False
    """The process hangs in its imports."""
    unkillable: bool = False
    """The kernel holds the process: SIGKILL waits."""
    killed: bool = False
    """SIGKILL was sent and waits."""
    alive: bool = False
    warm: bool = False
    opening: bool = False
    open: bool = False
    serial: int = 0


@dataclass
class Writer:
    alive: bool = False
    hangs: bool = False
    """It is in a disk call that does not return, or stopped."""
    refused: bool = False
    """The disk refuses: nothing is acknowledged any more."""
    recording: str | None = None
    frames: int = 0
    acked: int = 0
    silence: int = 0
    """Frames of `frames` that stand for a gap; it writes some seconds of them at each turn."""
    acked_silence: int = 0
    gap: bool = False
    """It was told why frames are missing before the next block."""
    block_ns: int = 0
    """When the last block came."""
    read_seq: int = 0
    serial: int = 0
    ready: bool = False
    ending: bool = False
