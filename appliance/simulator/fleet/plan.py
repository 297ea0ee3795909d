"""Which box records when: pure, so that each scenario can be looked at without a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Scenario = Literal["day", "monday", "worst-minute", "storm"]
SCENARIOS: Final = get_args(Scenario)
"""`day`: meetings begin and end one after the other. `monday`: each recording box has a week's meetings in its spool,
and the network comes back for all at once. `worst-minute`: every meeting ends at the same moment. `storm`: as `day`,
and the broker is started again in the middle."""
SPREAD: Final = 0.2
"""Part of the time in which meetings begin, and in which they end."""
SCHOOL_DAYS: Final = 5
"""Meetings of a box in the week without a network, one a day."""
GO: Final = "go"
"""File in the fleet's folder that appears when it starts; it holds the moment, in seconds of CLOCK_MONOTONIC."""


class Plan(BaseModel):
    """What is simulated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boxes: Annotated[int, Field(ge=1, le=20_000)] = 100
    """Boxes that report to the broker and ask the archive whether it is there."""
    recording: Annotated[int, Field(ge=0, le=2_000)] = 10
    """Boxes of these that record at once, or that come with a backlog."""
    minutes: Annotated[float, Field(gt=0, le=240)] = 1.0
    """How long it lasts, in minutes; of `monday`: audio in the backlog of each such box."""
    scenario: Scenario = "day"
    probe_s: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """How often a box with nothing to send asks whether the archive is there, in seconds; the courier's default."""
    drain_minutes: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long receipts may take after the end, in minutes; what has none then is lost."""


@dataclass(frozen=True)
class Meeting:
    """One meeting of a box."""

    begins_s: float
    """Seconds from the fleet's start; before it, in a backlog, 0 as well."""
    length_s: int
    """Whole seconds of audio."""
    backlog: bool = False
    """Whether it was held while there was no network."""

    @property
    def ends_s(self) -> float:
        """Seconds from the fleet's start to its end."""
        return self.begins_s if self.backlog else self.begins_s + self.length_s


def meetings(plan: Plan, box: int) -> list[Meeting]:
    """Return the meetings of box number `box`, counted from 0; the first `plan.recording` boxes have some."""
    if box >= plan.recording:
        return []
    whole_s = plan.minutes * 60
    if plan.scenario == "monday":
        return [Meeting(0.0, max(1, round(whole_s / SCHOOL_DAYS)), backlog=True)] * SCHOOL_DAYS
    begins_s = SPREAD * whole_s * box / plan.recording
    ends_s = whole_s if plan.scenario == "worst-minute" else whole_s * (1 - SPREAD) + begins_s
    length_s = max(1, int(ends_s - begins_s))
    # a whole number of seconds that ends when it is to end
    return [Meeting(ends_s - length_s, length_s)]


def length_s(plan: Plan) -> float:
    """Return how long meetings go on, in seconds from the start."""
    return 0.0 if plan.scenario == "monday" else plan.minutes * 60


def shares(plan: Plan, a_process: int, recording_a_process: int) -> list[list[int]]:
    """Deal the boxes out to processes, the recording ones evenly; each has at most so many."""
    count = max(-(-plan.boxes // a_process), -(-plan.recording // recording_a_process), 1)
    return [list(range(number, plan.boxes, count)) for number in range(min(count, plan.boxes))]
