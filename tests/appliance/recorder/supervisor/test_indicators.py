"""Slow lights: never faster than 1 Hz (docs/policy.md, guideline 7), and amber's blinks can be counted."""

from __future__ import annotations

import itertools

import pytest

from appliance.recorder.supervisor.indicators import SECOND, Indicators, counted, slow
from appliance.simulator.fakes import FakePanel

STEP = SECOND // 100


def rises(states: list[bool]) -> list[int]:
    return [index * STEP for index in range(1, len(states)) if states[index] and not states[index - 1]]


def test_green_slow_is_slower_than_1_hz() -> None:
    moments = rises([slow(at * STEP) for at in range(2000)])
    assert all(later - earlier >= SECOND for earlier, later in itertools.pairwise(moments))


@pytest.mark.parametrize("blinks", range(1, 10))
def test_amber_blinks_as_often_as_its_code_says_below_1_hz_and_rests_between(blinks: int) -> None:
    period = blinks * 1_200_000_000 + 2_400_000_000
    moments = [0, *rises([counted(at * STEP, blinks) for at in range(period // STEP)])]
    assert len(moments) == blinks
    assert all(later - earlier > SECOND for earlier, later in itertools.pairwise(moments))
    assert not any(counted(period - 2_400_000_000 + at * STEP, blinks) for at in range(240))
    assert counted(period, blinks)


def test_real_lines_are_switched_on_and_off_in_turn_and_only_on_change() -> None:
    panel = FakePanel(kind="gpio")
    lights = Indicators(panel)
    lights.set_amber("slow", 2, 0)
    while lights.next_ns is not None and lights.next_ns < 480 * STEP:
        lights.tick(lights.next_ns)
    assert [state for _, light, state in panel.history if light == "amber"] == ["on", "off", "on", "off"]
    lights.set_amber("off", 0, 480 * STEP)
    lights.set_green("on", 480 * STEP)
    assert (panel.last("amber"), panel.last("green")) == ("off", "on")
    assert lights.next_ns is None


@pytest.mark.parametrize("blinks", [None, *range(1, 10)])
def test_between_the_moments_that_lights_ask_for_nothing_changes(blinks: int | None) -> None:
    panel, asked = FakePanel(kind="gpio"), FakePanel(kind="gpio")
    for lights in (Indicators(panel), Indicators(asked)):
        if blinks:
            lights.set_amber("slow", blinks, 3 * STEP)
        lights.set_green("slow", 7 * STEP)
        for at in range(8, 4000):
            if lights._panel is panel or (lights.next_ns is not None and at * STEP >= lights.next_ns):
                lights.tick(at * STEP)
    assert [change[1:] for change in panel.history] == [change[1:] for change in asked.history]
    assert len(asked.history) > 30


def test_a_panel_that_draws_is_told_slow_once() -> None:
    panel = FakePanel()
    lights = Indicators(panel)
    lights.set_green("slow", 0)
    for at in range(1000):
        lights.tick(at * STEP)
    assert [state for _, light, state in panel.history if light == "green"] == ["slow"]
    assert lights.next_ns is None
