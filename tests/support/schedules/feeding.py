"""Systemd's watchdog beside a simulated box: it never bites a recorder whose lights tell the truth."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.recorder.supervisor.liveness import unhealthy
from appliance.recorder.supervisor.machine import Parameters, State

LONGEST_NS = 10_000_000_000 * 2 // 3
"""WatchdogSec of the unit, without the third of it that may pass between two looks."""


@dataclass
class Feeding:
    """Since when the watchdog would not have been fed, and why."""

    since_ns: int | None = None
    why: str | None = None

    def look(self, state: State, parameters: Parameters, now_ns: int) -> None:
        self.why = unhealthy(state, parameters)
        if self.why is None:
            self.since_ns = None
            return
        self.since_ns = now_ns if self.since_ns is None else self.since_ns
        assert now_ns - self.since_ns < LONGEST_NS, (
            f"the watchdog would end a recorder that tells its faults: {self.why}"
        )
