"""What happens in one short meeting: which process is struck, how, when, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Process = Literal["supervisor", "capture", "writer"]
Signal = Literal["SIGKILL", "SIGSTOP"]
_LONGEST_S = 3.5
_STOPPED = 0.3
"""Share of strikes that stop the process instead of killing it."""


@dataclass(frozen=True)
class Plan:
    """One meeting."""

    process: Process
    signal: Signal
    at_s: float
    """When it strikes, in seconds from the press that starts."""
    pause_s: float | None
    """When a short pause begins, in seconds from that press; None: there is none."""
    stopped_s: float
    """How long a stopped process stays so, in seconds."""
    all_killed: bool
    """The whole recorder is killed afterwards; otherwise a stopped process goes on, and the meeting is ended."""
    after_s: float
    """How long after the strike, or the stop, that happens, in seconds."""
    acknowledged_first: bool = False
    """It strikes later where nothing is acknowledged yet."""


def draw(random: Random) -> Plan:
    """Return a meeting drawn from `random`."""
    stopped = random.random() < _STOPPED
    return Plan(
        process=random.choice(get_args(Process)),
        signal="SIGSTOP" if stopped else "SIGKILL",
        at_s=random.uniform(0.0, _LONGEST_S),
        pause_s=random.uniform(0.5, 2.0) if random.random() < 0.25 else None,
        stopped_s=random.uniform(1.2, 3.0),
        all_killed=random.random() < (0.5 if stopped else 0.3),
        after_s=random.uniform(0.0, 1.5),
    )
