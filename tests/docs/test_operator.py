"""docs/operator.md says what the recorder does: amber codes, times, and every state's lights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from appliance.contract.amber_codes import TABLE
from appliance.contract.status import State
from appliance.recorder.settings import Limits, Times
from appliance.recorder.supervisor.machine.state import Parameters
from tests.support.schedules.parts import parameters
from tests.support.schedules.schedule import Schedule
from tests.support.schedules.world import World

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")
SECOND = 1_000_000_000


FLOWING = " ".join(TEXT.split())
"""The same as one line, whatever the wrapping."""


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    _, below = TEXT.split(f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, flags=re.MULTILINE)
    assert table, f"there is no table below {heading!r}"
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_amber_codes_is_the_recorders() -> None:
    assert rows("When CHECK blinks") == [
        [str(fault.blinks), f"`{fault.code}`", fault.press, fault.cause, fault.remedy] for fault in TABLE
    ]


def test_the_table_of_lights_covers_every_state_and_no_other() -> None:
    assert {state for row in rows("What the lights mean") for state in re.findall(r"`([a-z-]+)`", row[4])} == set(
        get_args(State)
    )


def test_the_table_of_lights_is_what_the_recorder_shows_in_any_schedule() -> None:
    # what chance rarely leads to: a box that is ready with something to say, and a recording that is about to end
    ready, ending = World().boot(), World(parameters=parameters(limits=Limits(cap_s=60.0, warn_s=30.0))).boot().start()
    ready.unsynchronized = True
    ready.look()
    ending.run(32 * SECOND)
    seen = ready.invariants.shown | ending.invariants.shown

    class Seen(Schedule):
        def teardown(self) -> None:
            if hasattr(self, "world"):
                seen.update(self.world.invariants.shown)

    chosen = settings(max_examples=150, stateful_step_count=20, deadline=None, database=None, phases=[Phase.generate])
    run_state_machine_as_test(seed(2)(Seen), settings=chosen)
    missing = [lights for lights in seen if not any(told(row, lights) for row in rows("What the lights mean"))]
    assert not missing, "shown, and not in the table"
    unseen = [row for row in rows("What the lights mean") if not any(told(row, lights) for lights in seen)]
    assert not unseen, "in the table, and never shown"


def told(row: list[str], lights: tuple[str, str, str, str]) -> bool:
    """Whether a row of the table is about these lights in this state."""
    cells = [cell.strip("*") for cell in row[:3]]
    states = re.findall(r"`([a-z-]+)`", row[4])
    return lights[3] in states and all(cell in ("any", light) for cell, light in zip(cells, lights[:3], strict=True))


def test_promise_1_red_is_never_off_where_the_microphone_may_hear() -> None:
    lights = [(row[0], set(re.findall(r"`([a-z-]+)`", row[4]))) for row in rows("What the lights mean")]
    lit = {state for red, states in lights if "on" in red for state in states}
    dark = {state for red, states in lights if red == "off" for state in states}
    assert not {"arming", "recording"} & dark
    # a microphone that cannot be closed keeps the lamp lit after the end and in a pause
    assert lit == {"arming", "recording", "ending", "paused"}


def test_times_are_the_defaults() -> None:
    limits, times = Limits(), Times()
    assert (times.short_press_s, times.hold_s) == (1.0, 1.5)
    for words in ("within a second", "hold for a second and a half", "between one second and one and a half"):
        assert words in FLOWING
    by_itself = f"After {limits.cap_s / 3600:g} hours; after "
    assert by_itself + f"{limits.paused_s / 60:g} minutes of pause" in FLOWING
    assert f"after {limits.quiet_s / 60:g} minutes of quiet" in FLOWING
    assert limits.warn_s == 60
    assert "for the last minute before" in FLOWING
    assert Parameters.continues == 600 * SECOND
    assert "less than ten minutes" in FLOWING
